"""What the SDK costs, beside what else one would use: `make bench`.

Everything that is measured runs in a process of its own, so that event loops, imports and garbage collections do not
mix. What is compared takes turns, and ratios are taken turn by turn: a machine that is busy for a while slows both.
"""
