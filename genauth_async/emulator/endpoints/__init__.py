"""The endpoints of the Authentication API, one module per API area."""
