"""What the portal shows, read from the ledgers by the code of the commands `report` and `explain`."""
