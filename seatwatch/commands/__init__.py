"""One module per command of the command line, each with `register(app)`; `seatwatch/cli.py` lists them.

A module imports at its top only what building the command takes (typer, the standard library); what running it takes
is imported inside the command, so that `seatwatch --help` stays quick.
"""
