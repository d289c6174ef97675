"""The probe as a command, a unit and a Windows service: its words, thresholds and wiring."""
