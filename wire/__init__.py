"""What crosses a process boundary: messages, ids, codec, topics, errors. No clock, no I/O, no policy."""
