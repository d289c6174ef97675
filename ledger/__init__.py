"""The record: append, read, prove, verify. The only code that opens a ledger file.

One append-only log per client, and one for the operator's own sites and roster; every entry is a leaf of a Merkle
tree. Everything else Seatwatch shows is a view, rebuilt from here.
"""
