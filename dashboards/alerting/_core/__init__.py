"""What may page and how it is named, decided without a clock and without a network."""
