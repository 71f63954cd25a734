"""Argument checks: text, URLs, timeouts, the environment."""

from __future__ import annotations
