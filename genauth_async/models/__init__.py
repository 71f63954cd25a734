"""DTOs, one module an area, named as the API documents name them."""

from __future__ import annotations
