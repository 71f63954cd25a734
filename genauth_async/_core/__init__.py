"""Helpers that import nothing of this package."""

from __future__ import annotations
