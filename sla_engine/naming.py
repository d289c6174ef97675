"""Which conversations of a ledger a name belongs to: a conversation's own id, or the pseudonym it came under."""

from collections.abc import Collection

from ledger.reader import LedgerReader
from ledger.recorded import recorded
from sla_engine.replay import READ_AT_ONCE
from wire.kinds import Kind

# Format: of a customer's key.
PSEUDONYM_CHARS = 32
"""A source may cut the hexadecimal text of its HMAC off; shorter than this, two customers could share one."""
_NAMED_BY = ("conversation", "customer", "linked")


def conversations_named(reader: LedgerReader, ids: Collection[str], pseudonyms: Collection[str]) -> list[str]:
    """Ids of conversations in order of their first mention. ids: equal to one of their names. pseudonyms: whole HMACs.

    Reads the whole ledger, and decodes only what may fit. Raises LedgerCorrupt.
    """
    whole = tuple(pseudonym[:PSEUDONYM_CHARS] for pseudonym in pseudonyms)
    needles = [name.encode() for name in (*ids, *whole) if name]
    found: dict[str, None] = {}
    index = 0
    while stored := reader.read(index, READ_AT_ONCE):
        for entry in stored:
            if entry.kind not in _ABOUT_CONVERSATIONS or entry.body is None:
                continue
            if any(needle in entry.body for needle in needles):
                body = recorded(entry).body
                named = [getattr(body, field, "") for field in _NAMED_BY]
                if any(name in ids or (name[:PSEUDONYM_CHARS] in whole and name) for name in named):
                    found[named[0]] = None
        index += len(stored)
    return list(found)


_ABOUT_CONVERSATIONS = range(Kind.OFFERED, Kind.PRESENCE)
