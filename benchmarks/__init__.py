"""Benchmarks of the SDK beside its alternatives: `make bench`.

Each measurement runs in a process of its own, so that event loops, imports and garbage collections do not mix. Compared
clients take turns, and medians are compared: a machine that is busy for a while slows all of them.
"""
