"""The pulse by which a collector says that it lives: its bytes."""

import pytest

from wire.errors import DecodeError
from wire.stream import Pulse, decode_pulse, encode_pulse


def test_a_pulse_survives_its_bytes_and_other_bytes_are_refused() -> None:
    pulse = Pulse(bytes(range(16)), 258, 3)
    data = encode_pulse(pulse)
    assert data == bytes(range(16)) + b"\0\0\0\0\0\0\1\2" + b"\0\0\0\0\0\0\0\3"
    assert decode_pulse(data) == pulse
    for other in (b"", data[:24], data + b"\0"):
        with pytest.raises(DecodeError):
            decode_pulse(other)
