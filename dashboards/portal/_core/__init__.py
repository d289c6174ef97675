"""Pictures and tables as plain functions of what they show."""
