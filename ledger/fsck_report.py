"""What the independent check says of a ledger."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. index: the entry it is about, None when it is about a file or a stream."""

    where: str
    what: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Signing:
    """How soon entries are to be under a signed checkpoint: `within_ms`. now: the present, ms since the Unix epoch."""

    now: int
    within_ms: int


@dataclass(slots=True)
class Report:
    """What the check saw. root: hex, over the leaves as they are stored.

    purged: entries without body and salt, of which only the leaf can be held to the tree. signed: how many entries the
    newest checkpoint that holds is about. unproven: why nobody has to believe the ledger although nothing was found.
    """

    directory: str
    problems_max: int | None = None
    ledger_id: str = ""
    segments: int = 0
    size: int = 0
    root: str = ""
    purged: int = 0
    streams: int = 0
    checkpoints: int = 0
    signed: int = 0
    unproven: str = ""
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.problems

    def add(self, where: str, what: str, index: int | None = None) -> None:
        """Note a finding, up to the cap that keeps the report of a ruined file readable."""
        if self.problems_max is None or len(self.problems) < self.problems_max:
            self.problems.append(Problem(_printable(where), _printable(what), index))


def _printable(text: str) -> str:
    """Damaged text as it can be shown."""
    return text.encode("utf-8", "backslashreplace").decode()
