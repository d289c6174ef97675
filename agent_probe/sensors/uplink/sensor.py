"""All lines of a site: a reading of each, and one of every failover. It measures between samples and tells early."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from agent_probe._core.line_choice import LineNow
from agent_probe.lines import Lines
from agent_probe.netlink import Links, links
from agent_probe.sensors.base import Reading, Stamp
from agent_probe.sensors.uplink.settings import LineSettings
from agent_probe.sensors.uplink.watched import LineAt, WatchedLine
from agent_probe.shared_timer import SharedTimer
from wire.body import Body
from wire.limits import DURATION_MAX_MS
from wire.uplink import Failover, FailoverOf, LineReading, LineReason, LineState

NAME: Final = "uplink"


class UplinkSensor:
    """Watches the lines `at`. `lines` is told how they are, and tells which one carries the probe's connection."""

    def __init__(
        self,
        at: Sequence[LineAt],
        settings: LineSettings,
        lines: Lines,
        *,
        site: str,
        clock_domain: str,
        now_ms: Callable[[], int],
        watch: Links | None = None,
    ) -> None:
        self.name = NAME
        self.schedule = settings.schedule
        self.news = asyncio.Event()
        self._at = at
        self._settings = settings
        self._lines = lines
        lines.expect(len(at))
        self._site = site
        self._clock_domain = clock_domain
        self._now_ms = now_ms
        self._links = links() if watch is None else watch
        self._router_says: dict[str, bool] = {}
        self._timer = SharedTimer(now_ms)
        self._watched = [self._new(at) for at in at]
        self._route_over: str | None = None
        self._moves = 0

    async def open(self) -> None:
        """Begin to listen to the system. Raises ProbeUnavailable."""
        self._lines.on_carrying = self.news.set
        self._links.open(self._look)

    async def sample(self, now: Stamp) -> Sequence[Reading]:
        """What holds now. Raises ProbeUnavailable when echoes are forbidden, or the system tells nothing any more."""
        if not self._links.tells:
            self._look()
        failures = (self._links.failure, *(watched.failure for watched in self._watched))
        if failure := next(filter(None, failures), None):
            raise failure
        return [*self._failovers(now), *(self._reading(watched, now) for watched in self._watched)]

    def unavailable(self, now: Stamp, cause: str) -> Sequence[Reading]:  # noqa: ARG002 - whatever the cause
        """Nothing is known of any line."""
        return [self._reading(watched, now) for watched in self._watched]

    async def close(self) -> None:
        """Stop measuring and forget what was found."""
        self._links.close()
        for watched in self._watched:
            watched.close()
        self._watched = [self._new(at) for at in self._at]

    def router_says(self, line: str, *, has_link: bool | None) -> None:
        """What the router says of the link of a line behind it; None when it does not say.

        Its last word holds where nothing but the router tells lines apart: what is measured may be the other one.
        """
        if has_link is not None:
            self._router_says[line] = has_link
        elif not self._is_measured_with_another(line):
            self._router_says.pop(line, None)
        self._look()

    def _is_measured_with_another(self, line: str) -> bool:
        """Whether its echoes leave from the same address as another line's."""
        left_from = {each.at.name: (each.at.interface, each.source_address) for each in self._watched}
        return list(left_from.values()).count(left_from[line]) > 1

    def _new(self, at: LineAt) -> WatchedLine:
        changed = partial(self._changed, at.name)
        return WatchedLine(at, self._settings.rules, self._timer, now_ms=self._now_ms, changed=changed)

    def _look(self) -> None:
        """Show each line its interface."""
        if self._links.failure is not None:
            self.news.set()
            return
        routes = self._links.default_routes()
        for watched in self._watched:
            seen = self._links.seen(watched.at.interface)
            if seen is not None:
                watched.look(seen, routes, router_link=self._router_says.get(watched.at.name))
        if routes is not None and self._default() != self._route_over:
            self.news.set()

    def _changed(self, name: str) -> None:
        watched = next(watched for watched in self._watched if watched.at.name == name)
        line, verdict = watched.line, watched.line.verdict
        self._lines.update(
            LineNow(
                name,
                line.state,
                verdict.reason,
                line.internet_reachable,
                watched.source_address,
                line.silent_since,
            )
        )
        self.news.set()

    def _default(self) -> str:
        """The line that has the default route; "" if none of ours has."""
        return next((watched.at.name for watched in self._watched if watched.is_default_route), "")

    def _failovers(self, now: Stamp) -> list[Reading]:
        """What moved since the last sample."""
        found = [
            self._moved(now, FailoverOf.MQTT, move.from_line, move.to_line, move.cause, move.duration_ms)
            for move in self._lines.moves
        ]
        self._lines.moves.clear()
        before, default = self._route_over, self._default()
        if self._links.default_routes() is None:
            return found
        self._route_over = default
        if before is not None and before != default:
            line = next((w.line for w in self._watched if w.at.name == before), None)
            began = None if line is None else line.silent_since
            found.append(
                self._moved(
                    now,
                    FailoverOf.ROUTE,
                    before,
                    default,
                    LineReason.OK if line is None else line.verdict.reason,
                    0 if began is None else max(0, now.monotonic - began),
                )
            )
        return found

    def _moved(
        self, now: Stamp, of: FailoverOf, from_line: str, to_line: str, cause: LineReason, duration_ms: int
    ) -> Reading:
        self._moves += 1

        def body() -> Body:
            return Failover(
                **now.head(self._clock_domain),
                site=self._site,
                of=of,
                from_line=from_line,
                to_line=to_line,
                cause=cause,
                duration_ms=min(duration_ms, DURATION_MAX_MS),
            )

        return Reading(f"{NAME}/{of.value}", self._moves, self._settings.rhythm, body, once=True)

    def _reading(self, watched: WatchedLine, now: Stamp) -> Reading:
        line, verdict, at = watched.line, watched.line.verdict, watched.at
        carries = self._lines.carrying == at.name

        def body() -> Body:
            quality = line.quality()
            bad_for = None if verdict.first_bad_at is None else now.monotonic - verdict.first_bad_at
            return LineReading(
                **now.head(self._clock_domain),
                site=self._site,
                line=at.name,
                carrier=at.carrier,
                state=line.state,
                reason=verdict.reason,
                is_default_route=watched.is_default_route,
                carries_mqtt=carries,
                has_link=watched.has_link,
                has_address=None if watched.seen is None else bool(watched.seen.addresses),
                gateway_reachable=line.gateway_reachable,
                internet_reachable=line.internet_reachable,
                rtt_us=quality.rtt_us,
                rtt_sd_us=quality.rtt_sd_us,
                loss_permille=quality.loss_permille,
                targets=len(at.targets),
                targets_failed=line.targets_failed,
                source_address=watched.source_address,
                interface=at.interface,
                first_bad_at=None if bad_for is None else max(0, now.wall - bad_for),
                since_ms=now.held_ms(verdict.since),
            )

        # A suspicion is settled within seconds: it is no change by itself, and what is found of it is.
        state = (verdict.state, verdict.reason, watched.is_default_route, carries, watched.source_address)
        is_urgent = verdict.state is LineState.DOWN
        return Reading(f"{NAME}/{at.name}", state, self._settings.rhythm, body, is_urgent)
