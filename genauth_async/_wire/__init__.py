"""Requests and responses as data, and their conversion to DTOs and errors."""

from __future__ import annotations
