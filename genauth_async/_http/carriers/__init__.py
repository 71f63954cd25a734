"""HTTP libraries that carry requests."""

from __future__ import annotations
