"""Pure parts of the runbooks."""
