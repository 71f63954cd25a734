"""The Authentication API, one module an area."""

from __future__ import annotations
