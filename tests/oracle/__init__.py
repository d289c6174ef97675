"""The independent reader: what a whole ledger amounts to, found by looking at all of it at once.

It shares no code with the engine: no state that grows entry by entry, no watermark, no revisions, no integer tables.
It is slow and plain on purpose. `python -m tests.oracle` compares the two over random ledgers.
"""
