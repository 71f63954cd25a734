"""The scopes that mean something to the server itself."""

from __future__ import annotations

OPENID = "openid"
REFRESHABLE = "offline_access"
OAUTH_USER = "user"
"""What OAuth 2.0 without OpenID Connect asks for, unless told otherwise: all about the user."""
