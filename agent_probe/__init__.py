"""The daemon on a seat PC or a site gateway: sensors fill a durable outbox, and an uplink empties it towards the hub.

It imports `wire` and nothing else of ours, and starts on the base install alone. "Agent" in this field is a person;
the daemon is a probe, and only the folder keeps the word.
"""
