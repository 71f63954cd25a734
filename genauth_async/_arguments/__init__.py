"""Checks of what callers pass: text, URLs, timeouts, the environment."""

from __future__ import annotations
