"""Who may speak: the hub's own authority, the doors that hand out identities, and the broker's access rules."""
