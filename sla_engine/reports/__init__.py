"""What is told about days and months that have passed, from the record alone."""
