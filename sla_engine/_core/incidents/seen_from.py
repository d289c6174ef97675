"""Addresses that the hub saw a probe come from, saved and restored as MessagePack."""

import msgspec


class Egress(msgspec.Struct, array_like=True):
    """From where the hub saw a source's connection come last, since when and by which entry.

    line: the last one whose address it was, as the roster has it; is_known: whether this address is of that line.
    """

    address: str
    at: int
    index: int
    line: str = ""
    is_known: bool = False


class Witnessed(Egress, array_like=True):
    """From where the hub saw what a source sent over one of its lines, since when, and by which entry.

    seen_at: last. was_own: once from that line's own addresses. turned: when it was another line's than before, lately.
    """

    seen_at: int = 0
    was_own: bool = False
    turned: list[int] = []
