"""Incidents and their evidence in words of the glossary."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from seatwatch.glossary import Language, words
from seatwatch.instants import local_time
from sla_engine._core.incidents.saying import SITE_REMOVED
from sla_engine.incident_log import Incident
from wire.facility import Comms, UpsReading
from wire.incident import ELSEWHERE, LINES_LOST, IncidentAcknowledged, IncidentSaid, WorkSeen
from wire.phone import PhoneLineReading
from wire.record import BROKER, SourceBack, SourceSilent
from wire.recorded import Recorded
from wire.seat import PlatformReading
from wire.uplink import ConnectionSeen, Failover, LineReading, LineWitnessed

MS_PER_S: Final = 1_000
_POWER_WORDS: Final = {"battery": "on_battery", "mains": "mains", "unknown": "unknown"}


def power_word(power: str) -> str:
    """The key of the word for a UPS's power state."""
    return _POWER_WORDS.get(power, f"power_{power}")


class IncidentTeller:
    """Texts in one language and one time zone. sites: names by id; a site without one is told by its id."""

    def __init__(self, language: Language, zone: ZoneInfo, sites: Mapping[str, str] = MappingProxyType({})) -> None:
        self._language: Final[Language] = language
        self._zone: Final = zone
        self._sites: Final = sites

    def word(self, key: str) -> str:
        """A word of the glossary."""
        return words()[key].text(self._language)

    def site(self, site: str) -> str:
        """What a site is called."""
        return self._sites.get(site) or site

    def at(self, instant: int | None) -> str:
        """An instant as the local clock shows it; "-" where it has not come."""
        return "-" if instant is None else local_time(instant, self._zone)

    def lasted(self, said: IncidentSaid) -> str:
        """How long it took, "" while it lasts."""
        if said.ended_at is None:
            return ""
        minutes, seconds = divmod((said.ended_at - said.started_at) // MS_PER_S, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}"

    def headline(self, said: IncidentSaid) -> str:
        """What it is, where, how grave, in one line."""
        where = " ".join(part for part in (self.site(said.site), said.about) if part)
        told = (
            ("suspected", said.is_suspected),
            ("planned", said.is_planned),
            (SITE_REMOVED, SITE_REMOVED in said.details),
        )
        flags = [self.word(key) for key, is_set in told if is_set]
        if LINES_LOST in said.details:
            flags.append(self.word("notify_lines_lost").format(lines=said.details[LINES_LOST]))
        if ELSEWHERE in said.details:
            flags.append(self.word("notify_elsewhere").format(line=said.details[ELSEWHERE]))
        return " \u00b7 ".join(
            part for part in (self.word(said.word), where, self.word(f"severity_{said.severity}"), *flags) if part
        )

    def revision(self, said: IncidentSaid) -> str:
        """What a revision says."""
        return f"{self.word(f'incident_{said.step}')}: {self.headline(said)}"

    def taken_on(self, entry: Recorded) -> str:
        """Who took it on."""
        by = entry.body.by if isinstance(entry.body, IncidentAcknowledged) else ""
        return self.word("incident_taken_on").format(by=by)

    def _source(self, source: str) -> str:
        return self.word("hub_broker") if source == BROKER else source

    def told(self, entry: Recorded) -> str:
        """What an entry of the evidence told."""
        match entry.body:
            case UpsReading() as body:
                lost = body.comms not in {Comms.OK, Comms.STARTING}
                state = self.word(f"comms_{body.comms}" if lost else power_word(body.power))
                return f"UPS {body.ups}: {state}" + (f" ({body.status})" if body.status else "")
            case LineReading() as body:
                return f"{body.carrier}: {self.word(f'line_{body.state}')} ({self.word(f'line_why_{body.reason}')})"
            case PhoneLineReading() as body:
                return f"{body.phone_line}: {self.word(f'trunk_{body.state}')}"
            case PlatformReading() as body:
                key = "platform_answers" if body.is_reachable else "platform_silent"
                return f"{body.seat} {body.platform}: {self.word(key)}"
            case Failover() as body:
                told = self.word("line_moved").format(from_line=body.from_line or "-", to_line=body.to_line or "-")
                return f"{told} ({body.duration_ms / MS_PER_S:.1f} {self.word('seconds')})"
            case SourceSilent() as body:
                return f"{self._source(body.about_source)}: {self.word('silent')}"
            case SourceBack() as body:
                return f"{self._source(body.about_source)}: {self.word('heard_again')}"
            case WorkSeen() as body:
                key = "people_at_work" if body.is_working else "people_quiet"
                return self.word(key).format(replies=body.replies, usual=body.usual, signed_out=body.signed_out)
            case ConnectionSeen() as body:
                return (
                    f"{body.about_source}: {self.word('connected' if body.is_open else 'disconnected')} {body.egress}"
                )
            case LineWitnessed() as body:
                return f"{body.about_source} {body.line}: {self.word('line_seen_from')} {body.egress}"
        raise ValueError(entry)


def timeline(incident: Incident, evidence: Iterable[Recorded], tell: IncidentTeller) -> list[tuple[int, int, str]]:
    """Instant, index of the entry and sentence, by when it happened."""
    rows = [
        (entry.body.occurred_at, entry.index, tell.revision(entry.body))
        for entry in incident.revisions
        if isinstance(entry.body, IncidentSaid)
    ]
    rows += [(entry.received_at, entry.index, tell.taken_on(entry)) for entry in incident.taken_on]
    rows += [
        (min(entry.body.occurred_at, entry.received_at), entry.index, tell.told(entry))
        for entry in evidence
        if entry.body is not None
    ]
    return sorted(rows)
