"""The command line of Seatwatch and the wiring of its parts into one process.

Nothing is imported here: the probe starts through this package and must stay small.
"""

__version__ = "0.1.0"
