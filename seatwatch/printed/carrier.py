"""The text a carrier's hotline asks for: which line, from when to when, measured how, and why the fault is theirs."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final
from zoneinfo import ZoneInfo

from seatwatch.glossary import Language, words
from seatwatch.instants import local_time
from sla_engine.line_log import AILING
from wire.incident import IncidentSaid
from wire.recorded import Recorded
from wire.uplink import LineReading, LineState

MS_PER_S: Final = 1_000
US_PER_MS: Final = 1_000
ANSWERS: Final = {True: "ticket_answered", False: "ticket_unanswered", None: "ticket_unknown"}
_UTC: Final = ZoneInfo("UTC")


def carrier_text(
    said: IncidentSaid,
    named: AbstractSet[str],
    readings: Sequence[Recorded],
    language: Language,
    zone: ZoneInfo,
    *,
    site: str,
    power: Sequence[IncidentSaid],
    numbers: Mapping[str, str],
) -> str:
    """One block for each line that failed. readings: of the site's lines, with the last good one of each before.

    said: the newest revision. named: the subjects of all of them; "" among them = every line of the site. site: what it
    is called. power: what befell the power of that site, whenever it was. numbers: what carriers know their lines by.

    "" where no line failed in them: then there is nothing to tell a carrier.
    """
    told = [entry.body for entry in readings if isinstance(entry.body, LineReading)]
    lines = list(dict.fromkeys(body.line for body in told if body.state in AILING and _is_about(named, body)))
    blocks = [_Block(said, line, told, language, zone, site, power, numbers.get(line, "")).text() for line in lines]
    return "\n\n".join(blocks)


def _is_about(named: AbstractSet[str], body: LineReading) -> bool:
    return "" in named or body.line in named


class _Block:
    """What is said of one line."""

    def __init__(
        self,
        said: IncidentSaid,
        line: str,
        told: Sequence[LineReading],
        language: Language,
        zone: ZoneInfo,
        site: str,
        power: Sequence[IncidentSaid],
        number: str,
    ) -> None:
        self._said: Final = said
        self._number: Final = number
        self._site: Final = site if site == said.site else f"{site} ({said.site})"
        self._power: Final = power
        self._language: Final[Language] = language
        self._zone: Final = zone
        self._own: Final = [body for body in told if body.line == line]
        self._others: Final = [body for body in told if body.line != line]
        first = next(number for number, body in enumerate(self._own) if body.state in AILING)
        self._before: Final = next((b for b in reversed(self._own[:first]) if b.state is LineState.UP), None)
        self._during: Final = [body for body in self._own[first:] if body.state in AILING]
        last = max(number for number, body in enumerate(self._own) if body.state in AILING)
        self._after: Final = next((b for b in self._own[last:] if b.state is LineState.UP), None)

    def text(self) -> str:
        """The block."""
        return "\n".join([*self._head(), *self._measured(), *self._timeline(), *self._reference()])

    def _head(self) -> Iterator[str]:
        first = self._during[0]
        yield f"== {self._word('ticket_title')}: {first.carrier} =="
        yield self._row("ticket_line", f"{first.line} ({first.carrier})")
        if self._number:
            yield self._row("ticket_number", self._number)
        yield self._row("site", self._site)
        addresses = list(dict.fromkeys(body.source_address for body in self._own if body.source_address))
        yield self._row("ticket_address", ", ".join(addresses) or "-")
        yield self._row("ticket_began", self._instant(self._began()))
        ended = None if self._after is None else self._after.occurred_at - self._after.since_ms
        yield self._row("ticket_ended", self._word("ticket_lasts") if ended is None else self._instant(ended))
        if ended is not None:
            yield self._row("ticket_length", self._length())
        for cut in self._power:
            # without it the carrier is blamed for a line that our own mains took along
            if (ended is None or cut.started_at <= ended) and (cut.ended_at is None or cut.ended_at >= self._began()):
                until = self._word("ticket_lasts") if cut.ended_at is None else self._instant(cut.ended_at)
                yield self._row("ticket_power", f"{self._instant(cut.started_at)} .. {until}")

    def _length(self) -> str:
        """How long it failed, without the times in between in which it was well."""
        lengths, began = [], None
        for body in self._own:
            since = body.occurred_at - body.since_ms
            if body.state in AILING and began is None:
                began = since if body.first_bad_at is None else body.first_bad_at
            elif body.state is LineState.UP and began is not None:
                lengths.append(max(0, since - began))
                began = None
        told = f"{sum(lengths) // MS_PER_S} {self._word('seconds')}"
        return told if len(lengths) == 1 else told + self._word("ticket_times").format(n=len(lengths))

    def _measured(self) -> Iterator[str]:
        worst = max(self._during, key=lambda body: (body.targets_failed, body.loss_permille or 0))
        if self._before is not None:
            at = self._instant(self._before.occurred_at)
            yield self._row("ticket_before", f"{self._quality(self._before)}, {at}")
        yield self._row("ticket_during", f"{self._quality(worst)}, {self._instant(worst.occurred_at)}")
        yield self._row("ticket_gateway", self._word(ANSWERS[worst.gateway_reachable]))
        yield self._row("ticket_internet", self._word(ANSWERS[worst.internet_reachable]))
        others: dict[str, list[LineReading]] = {}
        for body in self._others:
            others.setdefault(body.line, []).append(body)
        for told in others.values():
            yield self._row("ticket_other", f"{told[-1].carrier}: {self._meanwhile(told, worst.occurred_at)}")
        if not others:
            yield self._row("ticket_other", self._word("ticket_unknown"))

    def _meanwhile(self, told: Sequence[LineReading], at: int) -> str:
        """How another line was at `at`: by a reading whose state held then, or else by the last one of this fault."""
        held = [body for body in told if body.occurred_at - body.since_ms <= at <= body.occurred_at]
        lately = [body for body in told if self._began() <= body.occurred_at <= at]
        found = (held or lately[-1:])[:1]
        if not found:
            return self._word("ticket_unknown")
        body = found[0]
        return f"{self._word(f'line_{body.state}')}, {self._quality(body)}, {self._instant(body.occurred_at)}"

    def _timeline(self) -> Iterator[str]:
        yield f"{self._word('ticket_timeline')}:"
        state = None
        for body in self._own:
            if body.state != state:
                state = body.state
                why = self._word(f"line_why_{body.reason}")
                since = body.occurred_at - body.since_ms
                yield f"  {self._instant(since)}  {self._word(f'line_{body.state}')} ({why})"

    def _reference(self) -> Iterator[str]:
        said = self._said
        places = f"#{said.first_index}..#{said.last_index}"
        yield self._row("ticket_reference", f"{said.incident}, {said.of_ledger.hex()} {places}")

    def _began(self) -> int:
        """By the first probe that failed, where the probe said so."""
        first = self._during[0]
        return first.occurred_at - first.since_ms if first.first_bad_at is None else first.first_bad_at

    def _quality(self, body: LineReading) -> str:
        parts = []
        if body.loss_permille is not None:
            # Layout: one decimal place.
            parts.append(f"{self._word('line_why_loss')} {body.loss_permille // 10}.{body.loss_permille % 10} %")
        if body.rtt_us is not None:
            parts.append(f"{self._word('ticket_latency')} {body.rtt_us / US_PER_MS:.1f} ms")
        if body.targets:
            parts.append(self._word("ticket_targets").format(failed=body.targets_failed, of=body.targets))
        return ", ".join(parts) or "-"

    def _instant(self, at: int) -> str:
        """By the local clock and in UTC: a carrier's log has either."""
        return f"{local_time(at, self._zone)} ({local_time(at, _UTC)} UTC)"

    def _row(self, key: str, text: str) -> str:
        return f"{self._word(key)}: {text}"

    def _word(self, key: str) -> str:
        return words()[key].text(self._language)
