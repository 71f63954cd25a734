"""The state of a session: its grant, its tokens and their life."""

from __future__ import annotations
