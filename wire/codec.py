"""Bytes to messages and back, with caps.

Hostile bytes cost bounded time and memory: sizes are checked before decoding, every field has a cap, and bodies stay
raw until their kind is known.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from wire.bodies import BODY_TYPES
from wire.body import Body
from wire.errors import DecodeError, EncodeError, Reason
from wire.frame import Ack, Frame
from wire.holes import fault_of
from wire.limits import BODY_BYTES_MAX, FRAME_BYTES_MAX, FRAME_VERSION

KIND_OF: Final[Mapping[type[Body], tuple[int, int]]] = {body_type: key for key, body_type in BODY_TYPES.items()}

_body_decoders: list[Mapping[tuple[int, int], Callable[[bytes | msgspec.Raw], Body]]] = []
_encoder = msgspec.msgpack.Encoder()
_frame_decoder = msgspec.msgpack.Decoder(Frame)
_ack_decoder = msgspec.msgpack.Decoder(Ack)


def encode_body(body: Body) -> bytes:
    """The exact bytes that will travel, be stored and be hashed. EncodeError when over the cap."""
    data = _encoder.encode(body)
    if len(data) > BODY_BYTES_MAX:
        message = f"{type(body).__name__} takes {len(data)} bytes, the cap is {BODY_BYTES_MAX}"
        raise EncodeError(message)
    return data


def decode_body(kind: int, kind_version: int, data: bytes | msgspec.Raw) -> Body | None:
    """The typed body, or None for a kind or version this build does not know (kept as it is, ignored by folds).

    Raises DecodeError(BODY_MALFORMED) when the kind is known and the bytes do not fit it.
    """
    if not _body_decoders:
        from wire.decoders import BODY_DECODERS  # noqa: PLC0415 - half a megabyte that a probe, which only sends, saves

        _body_decoders.append(BODY_DECODERS)
    decode = _body_decoders[0].get((kind, kind_version))
    if decode is None:
        return None
    try:
        return decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise DecodeError(Reason.BODY_MALFORMED, _where(error)) from None


def readable_body(kind: int, kind_version: int, data: bytes) -> Body | None:
    """As `decode_body`, of a stored body: None also where it does not fit its kind, which nobody can mend."""
    try:
        return decode_body(kind, kind_version, data)
    except DecodeError:
        return None


def encode_frame(frame: Frame) -> bytes:
    """Bytes of a frame. EncodeError when over the cap: the sender must put fewer items in."""
    data = _encoder.encode(frame)
    if len(data) > FRAME_BYTES_MAX:
        message = f"frame takes {len(data)} bytes, the cap is {FRAME_BYTES_MAX}"
        raise EncodeError(message)
    return data


def decode_frame(data: bytes) -> Frame:
    """A frame with raw bodies. DecodeError says TOO_LARGE, NOT_A_FRAME or UNKNOWN_FRAME_VERSION.

    An item that is none, in a frame that is one, is admission's to put aside (see `item_by_item`): the rest stands.
    """
    if len(data) > FRAME_BYTES_MAX:
        raise DecodeError(Reason.TOO_LARGE, f"{len(data)} bytes, the cap is {FRAME_BYTES_MAX}")
    try:
        try:
            frame = _frame_decoder.decode(data)
        except msgspec.ValidationError:
            from wire.item_by_item import frame_item_by_item  # noqa: PLC0415 - a probe, which only sends, saves it

            frame = frame_item_by_item(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise DecodeError(Reason.NOT_A_FRAME, _where(error)) from None
    if frame.version != FRAME_VERSION:
        raise DecodeError(
            Reason.UNKNOWN_FRAME_VERSION,
            f"version {frame.version}, this build reads {FRAME_VERSION}",
        )
    if fault := fault_of(frame):
        raise DecodeError(Reason.NOT_A_FRAME, f"at {fault.field}: {fault.problem}")
    return frame


def encode_ack(ack: Ack) -> bytes:
    """Bytes of an ack."""
    return _encoder.encode(ack)


def decode_ack(data: bytes) -> Ack:
    """An ack. DecodeError(NOT_A_FRAME) on anything else."""
    if len(data) > FRAME_BYTES_MAX:
        raise DecodeError(Reason.TOO_LARGE, f"{len(data)} bytes, the cap is {FRAME_BYTES_MAX}")
    try:
        return _ack_decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise DecodeError(Reason.NOT_A_FRAME, _where(error)) from None


def _where(error: Exception) -> str:
    """The part of a decoder's message that names the place, never the sender's value."""
    text = str(error)
    path = text.rpartition(" - at ")[2] if " - at " in text else ""
    return f"{type(error).__name__} at {path}" if path else type(error).__name__
