"""Messages by the clock: what a check before opening, a daily report and a handover say, and when."""
