"""What drives the engine: they tail a ledger, own the clock, and write what the core says."""
