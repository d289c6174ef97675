"""The decoder of every kind of body, made when this module is first imported: by a reader, never by a probe.

In a module's body, because two threads that make decoders at once have ended the process.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from wire.bodies import BODY_TYPES
from wire.body import Body

BODY_DECODERS: Final[Mapping[tuple[int, int], Callable[[bytes | msgspec.Raw], Body]]] = {
    key: msgspec.msgpack.Decoder(body_type).decode for key, body_type in BODY_TYPES.items()
}
"""(kind, kind_version) -> typed decoder; the hot path calls these directly."""
