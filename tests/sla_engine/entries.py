"""Entries for tests of folds: one after another, each a little later, unless a test says when."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from wire.body import Body
from wire.conversation import Activity, Presence, PresenceChanged
from wire.facility import Comms, Heartbeat, Power, Role, UpsReading
from wire.identity import IdentitySaid, IdentityStep
from wire.incident import MaintenanceOf, MaintenanceSaid, MaintenanceStep, WorkSeen
from wire.kinds import Kind
from wire.organisation import Relation, RosterLink
from wire.phone import PhoneLineReading, TrunkState
from wire.record import Clock, Feed, SiteRemoved, SourceBack, SourceDeclared, SourceSilent, Unrouted
from wire.recorded import Recorded
from wire.seat import PlatformReading
from wire.uplink import Failover, FailoverOf, LineReading, LineReason, LineState

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

    def heartbeat(
        self,
        probe: str,
        at: int,
        site: str = "north",
        role: Role = Role.GATEWAY,
        seat: str = "",
        interval_ms: int = 10_000,
        **measured: list[str],
    ) -> Recorded:
        fields: dict[str, Any] = {"site": site, "seat": seat, "interval_ms": interval_ms, "uptime_ms": 1} | measured
        body = Heartbeat(**head(at), role=role, **fields)
        return self.entry(probe, Kind.HEARTBEAT, body)

    def revoked(self, identity: str, at: int) -> Recorded:
        body = IdentitySaid(**head(at), identity=identity, step=IdentityStep.REVOKED)
        return self.entry("~identity", Kind.IDENTITY, body)

    def removed(self, site: str, at: int) -> Recorded:
        return self.entry("~sites", Kind.SITE_REMOVED, SiteRemoved(**head(at), site=site))

    def clock(self, at: int) -> Recorded:
        return self.entry("~clock", Kind.CLOCK, Clock(**head(at)))

    def line(
        self,
        probe: str,
        at: int,
        line: str,
        state: LineState = LineState.UP,
        received_at: int | None = None,
        **given: Any,
    ) -> Recorded:
        fields = {"site": "north", "carrier": line, "reason": LineReason.OK} | given
        return self.entry(
            probe, Kind.LINE_READING, LineReading(**head(at), line=line, state=state, **fields), received_at
        )

    def failover(
        self, probe: str, at: int, from_line: str, to_line: str, of: FailoverOf = FailoverOf.ROUTE
    ) -> Recorded:
        body = Failover(
            **head(at),
            site="north",
            of=of,
            from_line=from_line,
            to_line=to_line,
            cause=LineReason.NO_INTERNET,
            duration_ms=2_000,
        )
        return self.entry(probe, Kind.FAILOVER, body)

    def phone_line(self, probe: str, at: int, state: TrunkState, via_line: str = "", **given: Any) -> Recorded:
        fields = {"site": "north", "phone_line": "trunk", "via_line": via_line} | given
        body = PhoneLineReading(**head(at), state=state, **fields)
        return self.entry(probe, Kind.PHONE_LINE_READING, body)

    def platform(
        self, probe: str, at: int, *, site: str = "north", is_reachable: bool = True, is_running: bool | None = True
    ) -> Recorded:
        fields: dict[str, Any] = {"site": site, "seat": probe, "platform": "qianniu"}
        body = PlatformReading(**head(at), is_running=is_running, is_reachable=is_reachable, **fields)
        return self.entry(probe, Kind.PLATFORM_READING, body)

    def link(self, relation: Relation, subject: str, target: str, **attributes: str) -> Recorded:
        body = RosterLink(
            **head(0), relation=relation, subject=subject, target=target, effective_from=0, attributes=attributes
        )
        return self.entry("~roster", Kind.ROSTER_LINK, body)

    def maintenance(self, at: int, starts_at: int, ends_at: int, **given: Any) -> Recorded:
        fields: dict[str, Any] = {
            "maintenance": "m-1",
            "step": MaintenanceStep.PLANNED,
            "of": MaintenanceOf.SITE,
            "site": "north",
            "subject": "",
            "reason": "new battery",
            "by": "ops",
        } | given
        body = MaintenanceSaid(**head(at), starts_at=starts_at, ends_at=ends_at, **fields)
        return self.entry("~maintenance", Kind.MAINTENANCE, body)

    def stranger(self, source: str, at: int) -> Recorded:
        body = Unrouted(
            **head(at),
            about_source=source,
            about_epoch=b"e" * 16,
            about_sequence=1,
            queue="",
            kind=1,
            kind_version=1,
            raw=b"",
        )
        return self.entry("~stranger", Kind.UNROUTED, body)

    def work(self, at: int, *, is_working: bool, site: str = "north", subject: str = "") -> Recorded:
        figures: dict[str, Any] = {"usual": 12, "replies": 3 if is_working else 0, "signed_out": 0}
        body = WorkSeen(
            **head(at), incident="i-1", site=site, subject=subject, since=NOON, is_working=is_working, **figures
        )
        return self.entry("~work", Kind.WORK_SEEN, body)

    def ups(
        self, probe: str, at: int, power: Power = Power.MAINS, received_at: int | None = None, **given: Any
    ) -> Recorded:
        fields = {"site": "north", "ups": "rack", "comms": Comms.OK} | given
        return self.entry(probe, Kind.UPS_READING, UpsReading(**head(at), power=power, **fields), received_at)
