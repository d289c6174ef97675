"""Pure: decisions about identities, and the texts a broker is configured with."""
