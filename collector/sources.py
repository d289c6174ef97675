"""Who may send, what for, and into which ledger. A source writes into exactly one ledger."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from hmac import compare_digest

import msgspec

from wire.ids import OPERATOR, is_derived, is_name
from wire.record import Feed

CONVERSATIONS = "conversations"
FACILITIES = "facilities"
FIGURES = "figures"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One registered sender.

    id: its name in every entry. client: whose ledger it writes, or "operator". feed: how soon it tells.
    carries: "conversations", "facilities" or "figures". token_hash: SHA-256 of its bearer token as hex, None = none.
    site: where it stands, "" for a platform connector. queues: those it may speak of, None = any.
    heartbeat_ms: how often it promises to speak, 0 = no promise.
    """

    id: str
    client: str = OPERATOR
    feed: Feed = Feed.LIVE
    carries: str = CONVERSATIONS
    token_hash: str | None = None
    site: str = ""
    queues: frozenset[str] | None = None
    heartbeat_ms: int = 0


def is_live(source: Source) -> bool:
    """Whether it tells of conversations as they happen: of history it has none to tell, and its clock is set.

    A gateway may begin with its clock years behind, and an import tells of any year.
    """
    return source.feed is Feed.LIVE and source.carries == CONVERSATIONS


class Principal(msgspec.Struct, frozen=True):
    """What a credential may speak for."""

    sources: frozenset[str]

    def speaks_for(self, source: str) -> bool:
        """Whether this credential may send as `source`."""
        return source in self.sources


class Sources:
    """The registered senders. Raises ValueError for a name that no sender may have, or one given twice."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._by_id: dict[str, Source] = {}
        self._principals: dict[bytes, Principal] = {}
        for source in sources:
            self._add(source)

    def __iter__(self) -> Iterator[Source]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, source_id: str) -> Source | None:
        """The source of that name, if it is registered."""
        return self._by_id.get(source_id)

    def principal_of(self, token: str) -> Principal | None:
        """What a bearer token may speak for. Every hash is compared in full, whichever matches."""
        presented = token_hash(token).encode()
        found = None
        for digest, principal in self._principals.items():
            if compare_digest(presented, digest):
                found = principal
        return found

    def _add(self, source: Source) -> None:
        if not is_name(source.id) or is_derived(source.id):
            raise ValueError(f"source {source.id!r}: not a name a sender may have")
        if source.id in self._by_id:
            raise ValueError(f"source {source.id!r}: given twice")
        self._by_id[source.id] = source
        if source.token_hash is not None:
            digest = source.token_hash.lower().encode()
            before = self._principals.get(digest, Principal(frozenset()))
            self._principals[digest] = Principal(before.sources | {source.id})


def token_hash(token: str) -> str:
    """What to register for a bearer token: it is never kept itself. A header may bring bytes that are no UTF-8."""
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
