"""The house rules as functions from a source file to findings, each finding naming what to write instead.

`tests/test_tidy.py` applies them to the repository, `tests/test_tidy_rules.py` proves that each catches what it is for.
"""
