"""The rollout page: which probe runs which version, by ring, and the switch that stops a ring."""
