"""Events over a WebSocket (RFC 6455)."""

from __future__ import annotations
