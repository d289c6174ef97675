"""Entries for tests of folds: one after another, each a little later, unless a test says when."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from wire.body import Body
from wire.conversation import Activity, Presence, PresenceChanged
from wire.facility import Comms, Heartbeat, Power, Role, UpsReading
from wire.kinds import Kind
from wire.record import Feed, SourceBack, SourceDeclared, SourceSilent
from wire.recorded import Recorded

NOON = 1_795_320_000_000
"""2026-11-22 12:00 in Shanghai, in ms."""


def head(at: int, shard_key: str = "") -> dict[str, Any]:
    return {
        "occurred_at": at,
        "resolution_ms": 1,
        "clock": "utc",
        "monotonic_ms": None,
        "synced": True,
        "shard_key": shard_key,
    }


class Log:
    """Makes entries with dense indexes; received_at is the event time unless given."""

    def __init__(self) -> None:
        self._index: Iterator[int] = count()

    def entry(self, source: str, kind: Kind, body: Body, received_at: int | None = None) -> Recorded:
        index = next(self._index)
        at = body.occurred_at if received_at is None else received_at
        return Recorded(index, at, source, b"e" * 16, index + 1, kind, 1, body)

    def declared(self, source: str, at: int = 0, feed: Feed = Feed.LIVE, **given: Any) -> Recorded:
        fields: dict[str, Any] = {"carries": "conversations"} | given
        return self.entry(
            "~roster", Kind.SOURCE_DECLARED, SourceDeclared(**head(at), about_source=source, feed=feed, **fields)
        )

    def silent(self, source: str, heard_at: int, at: int) -> Recorded:
        body = SourceSilent(**head(at), about_source=source, heard_at=heard_at)
        return self.entry("~silence", Kind.SOURCE_SILENT, body)

    def back(self, source: str, at: int) -> Recorded:
        return self.entry("~silence", Kind.SOURCE_BACK, SourceBack(**head(at), about_source=source))

    def presence(
        self,
        account: str,
        at: int,
        presence: Presence = Presence.READY,
        activity: Activity = Activity.IDLE,
        source: str = "chat",
    ) -> Recorded:
        body = PresenceChanged(**head(at), account=account, presence=presence, activity=activity)
        return self.entry(source, Kind.PRESENCE, body)

    def heartbeat(self, probe: str, at: int, site: str = "north", role: Role = Role.GATEWAY) -> Recorded:
        body = Heartbeat(**head(at), site=site, seat="", role=role, interval_ms=10_000, uptime_ms=1)
        return self.entry(probe, Kind.HEARTBEAT, body)

    def ups(
        self, probe: str, at: int, power: Power = Power.MAINS, received_at: int | None = None, **given: Any
    ) -> Recorded:
        fields = {"site": "north", "ups": "rack", "comms": Comms.OK} | given
        return self.entry(probe, Kind.UPS_READING, UpsReading(**head(at), power=power, **fields), received_at)
