"""Measurements, one `bench_*.py` per question, run in turn by `make bench`; each prints a table of what it saw."""
