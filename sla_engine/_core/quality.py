"""Quality checks beside the sessions they are about (M17): counts in whatever order checks and facts come in.

Checkable is an answered session that ended in somebody's hands. A check is about the checkable session of its
conversation that began last before it; of several checks of one session the latest counts. Where nobody ever told of a
check nothing is checkable: that nobody checked is not known then.
"""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec

from sla_engine._core.contributions import Contribution, Slot
from wire.conversation import QualityScored
from wire.verdict import LegFact, Outcome, SessionFact

W = TypeVar("W")
"""Where a session counts: the groups of a tile, or whatever names a row."""


class Check(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One check, made at `at` (ms)."""

    at: int
    passed: bool
    fatal: bool


class ChecksState(msgspec.Struct, array_like=True):
    """Checks by conversation, in order of entry. entered: how many there ever were."""

    by_conversation: dict[str, list[Check]] = {}
    entered: int = 0


class _Session(msgspec.Struct, Generic[W], gc=False):
    """where: None while no fact says that it was answered. closings: legs that ended it. shown: what it adds now."""

    session: int
    started_at: int
    where: W | None = None
    closings: int = 0
    shown: tuple[W, Contribution] | None = None


_UNCHECKED: Final = Contribution(((Slot.CHECKABLE, 1),))
_CHECKED: Final = {
    (passed, fatal): Contribution(
        (
            (Slot.CHECKABLE, 1),
            (Slot.CHECKED, 1),
            (Slot.CHECKS_PASSED, int(passed)),
            (Slot.CHECKS_FATAL, int(fatal)),
        )
    )
    for passed in (False, True)
    for fatal in (False, True)
}


class QualityChecks(Generic[W]):
    """Tells `add` and `remove` what each session counts: where, started_at (ms), contribution."""

    def __init__(
        self,
        state: ChecksState,
        add: Callable[[W, int, Contribution], None],
        remove: Callable[[W, int, Contribution], None],
    ) -> None:
        self.state: Final = state
        self._add: Final = add
        self._remove: Final = remove
        self._sessions: Final[dict[str, tuple[_Session[W], ...]]] = {}

    def check(self, body: QualityScored) -> None:
        """Somebody checked a conversation."""
        is_first = self.state.entered == 0
        self.state.entered += 1
        checks = self.state.by_conversation.setdefault(body.conversation, [])
        checks.append(Check(body.occurred_at, body.passed, body.fatal))
        for conversation in list(self._sessions) if is_first else (body.conversation,):
            self._settle(conversation)

    def count(self, fact: SessionFact | LegFact, where: W, *, add: bool) -> None:
        """Take a fact in, or take back what the same fact said. What is void, or says nothing here, changes nothing."""
        if fact.void:
            return
        if isinstance(fact, SessionFact):
            if fact.outcome is Outcome.ANSWERED:
                self._session(fact.conversation, fact.session, fact.started_at).where = where if add else None
                self._settle(fact.conversation)
        elif fact.closes:
            self._session(fact.conversation, fact.session, fact.session_started_at).closings += 1 if add else -1
            self._settle(fact.conversation)

    def forget(self, before: int) -> None:
        """Let go of sessions that began before this instant (ms), and of checks made before it."""
        for conversation, sessions in list(self._sessions.items()):
            self._keep(conversation, tuple(session for session in sessions if session.started_at >= before))
        by_conversation = self.state.by_conversation
        for conversation, checks in list(by_conversation.items()):
            checks[:] = [check for check in checks if check.at >= before]
            if not checks:
                del by_conversation[conversation]

    def _session(self, conversation: str, number: int, started_at: int) -> _Session[W]:
        sessions = self._sessions.get(conversation, ())
        for session in sessions:
            if session.session == number:
                return session
        made = _Session[W](number, started_at)
        self._sessions[conversation] = (*sessions, made)
        return made

    def _settle(self, conversation: str) -> None:
        """Let every session of a conversation count what it should by now."""
        sessions = self._sessions.get(conversation, ())
        checkable = [each for each in sessions if each.where is not None and each.closings > 0]
        last: dict[int, Check] = {}
        for check in self.state.by_conversation.get(conversation, ()):
            about = max((each for each in checkable if each.started_at <= check.at), key=_began, default=None)
            if about is not None and (about.session not in last or last[about.session].at <= check.at):
                last[about.session] = check
        for session in sessions:
            found = last.get(session.session)
            counts = _UNCHECKED if found is None else _CHECKED[found.passed, found.fatal]
            self._show(session, counts if self.state.entered and session.closings > 0 else None)
        self._keep(conversation, tuple(each for each in sessions if each.where is not None or each.closings))

    def _show(self, session: _Session[W], counts: Contribution | None) -> None:
        wanted = None if session.where is None or counts is None else (session.where, counts)
        if wanted == session.shown:
            return
        if session.shown is not None:
            self._remove(session.shown[0], session.started_at, session.shown[1])
        if wanted is not None:
            self._add(wanted[0], session.started_at, wanted[1])
        session.shown = wanted

    def _keep(self, conversation: str, sessions: tuple[_Session[W], ...]) -> None:
        if sessions:
            self._sessions[conversation] = sessions
        else:
            self._sessions.pop(conversation, None)


def _began(session: _Session[W]) -> tuple[int, int]:
    return session.started_at, session.session
