"""What `seatwatch explain` says, in words of the glossary: events, rules, verdicts, instants and durations."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from dashboards.wallboard._core.names import Names
from seatwatch.glossary import Language, words
from seatwatch.instants import local_time, unmistakable_time
from sla_engine._core.applied import Applied
from sla_engine._core.definition import Definition
from sla_engine.reports._core.report import DefinitionUsed
from wire.conversation import (
    Accepted,
    AgentTurn,
    Assigned,
    Author,
    Closed,
    CustomerLeft,
    CustomerTurn,
    Offered,
    Queued,
    Transferred,
)
from wire.recorded import Recorded
from wire.spelling import isolated, readable

MS_PER_S: Final = 1_000
_NO_NAMES: Final = Names()
S_PER_MINUTE: Final = 60
_NAMED: Final = frozenset({"author", "authors", "forms"})
"""Values of a sentence that are words of the glossary themselves."""


class Teller:
    """Texts in one language and one time zone. queues: names by id, names: of the rest; else the id itself is told."""

    def __init__(
        self,
        language: Language,
        zone: ZoneInfo,
        queues: Mapping[str, str] = MappingProxyType({}),
        names: Names = _NO_NAMES,
    ) -> None:
        self._language: Final[Language] = language
        self._zone: Final = zone
        self._queues: Final = queues
        self.names: Final = names

    def word(self, key: str) -> str:
        """A word of the glossary."""
        return words()[key].text(self._language)

    def title(self, rules: Definition | DefinitionUsed) -> str:
        """What a definition is called, and where its rules are from."""
        return self.from_where(isolated(rules.title), is_official=rules.official)

    def from_where(self, called: str, *, is_official: bool) -> str:
        """Said behind a definition whose rules are from elsewhere than the page of whoever made them."""
        return called if is_official else f"{called}  ({self.word('report_unofficial')})"

    def queue(self, queue: str) -> str:
        """What a queue is called."""
        return self._queues.get(queue) or readable(queue)

    def at(self, instant: int | None) -> str:
        """An instant as the local clock shows it, to the ms."""
        return self.word("never_word") if instant is None else unmistakable_time(instant, self._zone)

    def on(self, instant: int) -> str:
        """The local date of an instant."""
        return local_time(instant, self._zone).partition(" ")[0]

    def lasting(self, ms: int | None) -> str:
        """A duration to the ms; minutes apart from one minute on."""
        if ms is None:
            return self.word("never_word")
        sign, whole = ("-", -ms) if ms < 0 else ("", ms)
        seconds, rest = divmod(whole, MS_PER_S)
        minutes, seconds = divmod(seconds, S_PER_MINUTE)
        told = f"{minutes} {self.word('minutes')} " if minutes else ""
        return f"{sign}{told}{seconds}.{rest:03} {self.word('seconds')}"

    def rule(self, applied: Applied) -> str:
        """What a rule did."""
        return self._sentence(applied.says, applied.values)

    def parameter(self, applied: Applied) -> str:
        """A parameter of the definition, by its key in a file, and its value."""
        if not applied.parameter.endswith("_ms"):
            return f"{applied.parameter} = {applied.value}"
        return f"{applied.parameter.removesuffix('_ms')}_s = {self.lasting(int(applied.value))}"

    def event(self, entry: Recorded, *, on_call: bool = False) -> str:
        """What an entry about a conversation told. on_call: it was a voice call by then."""
        match entry.body:
            case Offered(channel=channel, direction=direction):
                return self.filled("told_offered", channel=self.word(channel), direction=self.word(direction))
            case Queued(queue=queue):
                return self.filled("told_queued", queue=self.queue(queue))
            case Assigned(account=account):
                return self.filled("told_assigned", account=readable(account))
            case Accepted(account=account):
                return self.filled("told_accepted", account=readable(account))
            case CustomerTurn(form=form):
                return self.filled("told_customer_turn", form=self.word(form))
            case AgentTurn(author=Author.HUMAN, account=account) if on_call:
                return self.filled("told_call_answered", account=readable(account)).rstrip()
            case AgentTurn(author=author, account=account):
                return self.filled("told_agent_turn", author=self.word(author), account=readable(account)).rstrip()
            case Transferred(queue="", account=""):
                return self.word("told_handed_on")
            case Transferred(queue=queue, account=account):
                return self.filled(
                    "told_transferred", to=" ".join(filter(None, (readable(account), self.queue(queue))))
                )
            case CustomerLeft(reason=reason):
                return self.filled("told_customer_left", reason=self.word(reason))
            case Closed(by=by):
                return self.filled("told_closed", by=self.word(by))
        raise ValueError(entry)

    def filled(self, key: str, /, **values: str | int) -> str:
        """A word of the glossary with its places filled in."""
        return self.word(key).format(**values)

    def _sentence(self, key: str, values: Mapping[str, int | str]) -> str:
        return self.word(key).format(**{name: self._value(name, value) for name, value in values.items()})

    def _value(self, name: str, value: int | str) -> str:
        if isinstance(value, int):
            if name.endswith("_at"):
                return self.at(value)
            return self.lasting(value) if name.endswith("_ms") else str(value)
        if name in _NAMED:
            return ", ".join(self.word(each) for each in value.split(", "))
        return readable(value)
