"""The OpenID Connect, OAuth 2.0 and CAS endpoints, and the hosted login pages."""
