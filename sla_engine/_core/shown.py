"""Which definitions' figures a queue shows."""

from collections.abc import Callable
from typing import NamedTuple

from sla_engine._core.definition import Definition


class Shown(NamedTuple):
    """A definition whose figures a queue shows, and its label as facts carry it.

    earlier: versions of it that its figures count as well: sessions that began before its entry keep theirs (E18).
    """

    label: str
    definition: Definition
    earlier: tuple["Shown", ...] = ()

    def named(self, label: str) -> "Shown | None":
        """The version whose facts carry `label`."""
        return next((each for each in (self, *self.earlier) if each.label == label), None)


ShownOf = Callable[[str, int, int | None], tuple[Shown, ...]]
"""(queue, start in ms, session or None = one that opens now) -> its definitions, primary first; () = no contract."""
