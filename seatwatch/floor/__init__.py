"""A simulated floor for the demo, for load and for tests: people, customers, seat probes, lines and a UPS per site.

It speaks the real protocols (MQTT, HTTP, NUT) to a real server and knows nothing of the server's inside, so that what
it sent can be held against what became durable.
"""
