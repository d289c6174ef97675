"""Admission as pure functions: accepted, repeated, equivocating or quarantined, and the mark reached per source.

No clock, no I/O, no randomness: what it needs to know comes as an argument.
"""
