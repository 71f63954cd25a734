"""The state of a signed-in user's grant."""

from __future__ import annotations
