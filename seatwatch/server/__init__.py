"""`seatwatch up`: intake, ledgers, engines, board and web door wired into one process."""
