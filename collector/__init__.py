"""The way in: MQTT and HTTP doors, connectors, admission, the ledger, and the acknowledgement back to each source.

An acknowledgement is sent after the entries are durable, never before. The collector is the single writer of a ledger.
"""
