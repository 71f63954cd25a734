"""JSON Web Tokens (RFC 7519) and the keys that verify them."""

from __future__ import annotations
