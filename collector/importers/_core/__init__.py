"""What a row of a call detail record means, as pure functions over its cells.

No clock, no file, no zone database: text, tables of words and offsets come as arguments.
"""
