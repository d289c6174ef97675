"""What the probe decides, without doing it: which frame goes next, what is dropped first, what is worth publishing.

Nothing here reads a clock, rolls a die, waits or opens a file; the simulated world drives the same code as the daemon.
"""
