"""Phone lines over SIP: whether a trunk answers, and whether its registrar knows us."""
