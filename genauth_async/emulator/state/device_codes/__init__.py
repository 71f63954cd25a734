"""Codes that one device shows or receives and another confirms."""
