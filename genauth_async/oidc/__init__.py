"""OAuth 2.0 and OpenID Connect."""

from __future__ import annotations
