"""Looks at everything a probe depends on, once, and says what is wrong with it and what mends it."""
