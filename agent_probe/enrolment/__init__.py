"""The probe's own identity: made on this machine, signed by the hub, renewed before it ends."""
