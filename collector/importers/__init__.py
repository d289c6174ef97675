"""Call detail records as events: a file and a mapping in, numbered frames for the collector's door out."""
