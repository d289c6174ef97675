"""`seatwatch import` from the files it was given to the ledger."""
