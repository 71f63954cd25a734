"""GenAuth in other libraries: import the module of the one that you use, such as `integrations.fastapi`."""

from __future__ import annotations
