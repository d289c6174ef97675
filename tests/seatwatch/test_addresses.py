"""Where the server listens: at what is written, or not at all; at what nobody wrote, wherever there is room."""

import socket
from urllib.parse import urlsplit

import pytest

from seatwatch.addresses import LOOPBACK, PortBusy, bind_as_written, url_of


def test_a_written_port_that_is_busy_is_refused_by_its_key_and_a_default_is_replaced() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortBusy) as refused:
            bind_as_written("server.port", LOOPBACK, port, 0)
        assert (refused.value.key, refused.value.strerror) == ("server.port", f"port {port} is busy")
        bound = bind_as_written("server.port", LOOPBACK, None, port)
        bound.socket.close()
        assert bound.replaced == port != bound.port


def test_a_written_port_that_is_free_is_taken_and_none_is_any() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        free = taken.getsockname()[1]
    for written in (free, 0):
        bound = bind_as_written("server.port", LOOPBACK, written, 0)
        bound.socket.close()
        assert bound.replaced is None
        assert bound.port == (written or bound.port)


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8787"),
        ("0.0.0.0", "http://127.0.0.1:8787"),
        ("::", "http://127.0.0.1:8787"),
        ("::1", "http://[::1]:8787"),
        ("localhost", "http://localhost:8787"),
        ("2001:db8::7", "http://[2001:db8::7]:8787"),
    ],
)
def test_the_url_of_an_address_is_one_that_a_browser_takes(listen: str, url: str) -> None:
    assert (url_of(listen, 8787), urlsplit(url).port) == (url, 8787)
