"""UPS over NUT: power states, their debounce, and whether the reading can be trusted at all."""
