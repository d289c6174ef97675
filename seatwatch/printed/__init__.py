"""What commands print: tables for a person, CSV for a spreadsheet, one JSON object for a program."""
