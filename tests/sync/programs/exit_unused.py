"""Importing starts no thread, and exiting without a call needs none."""

from __future__ import annotations

import threading

import genauth_sync._bridge
from tests.sync.programs.say import say

say("threads:", threading.active_count(), genauth_sync._bridge.__name__)
