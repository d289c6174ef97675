"""From incidents to people: what pages, whom, in which words, and what watches the watchers."""
