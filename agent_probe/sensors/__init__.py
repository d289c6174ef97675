"""What the probe measures: one folder a sensor, each with its code, a sample configuration and a README."""
