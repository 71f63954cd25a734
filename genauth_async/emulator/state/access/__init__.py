"""Permissions: roles, groups, tenants, resources."""
