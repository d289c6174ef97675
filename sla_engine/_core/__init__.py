"""Conversations, obligations, definitions and calendars as a pure function of ledger entries.

It never waits, reads no clock and rolls no die; times are whole milliseconds. Facts depend on entries alone; `now`
may produce announcements, never facts.
"""
