"""Why something could not be reached, in one closed word. Never an address: what is said may leave the site."""

import socket
import ssl


def failure_word(error: OSError) -> str:
    """`name`, `certificate`, `tls`, `refused`, `timeout` or `unreachable`."""
    kinds: tuple[tuple[type[OSError], str], ...] = (
        (socket.gaierror, "name"),
        (ssl.SSLCertVerificationError, "certificate"),
        (ssl.SSLError, "tls"),
        (ConnectionRefusedError, "refused"),
        (TimeoutError, "timeout"),
    )
    return next((word for kind, word in kinds if isinstance(error, kind)), "unreachable")
