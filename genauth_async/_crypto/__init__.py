"""Password encryption and sealed texts."""

from __future__ import annotations
