"""TLS as a client that checks certificates: one context for all who trust the same authorities."""

import ssl
from functools import cache


@cache
def client_context(ca_file: str) -> ssl.SSLContext:
    """ca_file: PEM, "" for the system's authorities, of which every further copy would take megabytes."""
    return ssl.create_default_context(cafile=ca_file or None)
