"""Pure: what probes say of themselves, folded from the operator's ledger."""
