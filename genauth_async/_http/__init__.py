"""HTTP exchanges."""

from __future__ import annotations
