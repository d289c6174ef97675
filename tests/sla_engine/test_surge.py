"""Many warnings in one team are one thing."""

from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.surge import Surges
from wire.surge import Surge
from wire.verdict import Announcement, Notice


def warned(conversation: str, at: int, team: str = "red", notice: Notice = Notice.WARNING) -> Announcement:
    return Announcement(notice, conversation, 0, 0, "promise@1", "q1", team, at, at + 4_000)


def surges(*announcements: Announcement) -> Surges:
    made = Surges(conversations=3, within_ms=60_000)
    for announcement in announcements:
        made.announce(announcement)
    return made


def test_three_conversations_between_warning_and_due_are_a_surge_of_their_team() -> None:
    made = surges(warned("a", 1_000), warned("b", 2_000), warned("c", 3_000), warned("d", 3_000, "blue"))
    assert made.advance(3_500) == {"red": Surge(3, 1_000)}


def test_two_are_none_and_nobody_holds_a_team_of_its_own() -> None:
    made = surges(warned("a", 1_000, ""), warned("b", 2_000, ""), warned("c", 2_000))
    assert made.advance(2_500) == {}
    made.announce(warned("d", 2_400, ""))
    assert made.advance(2_500) == {"unassigned": Surge(3, 1_000)}


def test_a_surge_goes_on_since_its_first_warning_while_others_take_the_place_of_the_answered() -> None:
    made = surges(warned("a", 1_000), warned("b", 2_000), warned("c", 3_000))
    assert made.advance(3_500) == {"red": Surge(3, 1_000)}
    made.answer("a")
    made.announce(warned("d", 4_000))
    assert made.advance(4_100) == {"red": Surge(3, 1_000)}
    made.answer("b")
    assert made.advance(4_200) == {}
    made.announce(warned("e", 4_300))
    assert made.advance(4_400) == {"red": Surge(3, 3_000)}


def test_what_is_overdue_is_warned_of_no_more() -> None:
    made = surges(warned("a", 1_000), warned("b", 1_000), warned("c", 1_500))
    assert made.advance(5_000) == {"red": Surge(3, 1_000)}
    assert made.advance(5_001) == {}


def test_a_second_warning_of_one_conversation_counts_once_and_an_overdue_notice_not_at_all() -> None:
    made = surges(warned("a", 1_000), warned("a", 3_000), warned("b", 1_000), warned("c", 1_000, notice=Notice.OVERDUE))
    assert made.advance(3_500) == {}


class Plain:
    """The same by looking at every warned conversation at every instant."""

    def __init__(self) -> None:
        self.warned: dict[str, Announcement] = {}
        self.since: dict[str, int] = {}

    def advance(self, as_of: int) -> dict[str, Surge]:
        teams: dict[str, list[int]] = {}
        for conversation, each in list(self.warned.items()):
            if each.due_at < as_of or each.at < as_of - 10_000:
                del self.warned[conversation]
            else:
                teams.setdefault(each.team, []).append(each.at)
        surging = {team: min(ats) for team, ats in teams.items() if len(ats) >= 3}
        self.since = {team: min(at, self.since.get(team, at)) for team, at in surging.items()}
        return {team: Surge(len(teams[team]), since) for team, since in self.since.items()}


STEPS = st.lists(
    st.tuples(st.integers(0, 3_000), st.sampled_from(["warn", "warn", "warn", "answer", "look"]), st.integers(0, 8)),
    max_size=60,
)


@given(STEPS)
def test_it_is_what_looking_at_every_warned_conversation_finds(steps: list[tuple[int, str, int]]) -> None:
    made, plain, now = Surges(conversations=3, within_ms=10_000), Plain(), 0
    for passed, step, number in steps:
        now += passed
        conversation = f"c{number}"
        if step == "warn":
            due_at = now + (4_000 if number % 2 else 60_000)
            told = warned(conversation, now, "red" if number % 3 else "blue")
            told = Announcement(told.notice, conversation, 0, 0, "promise@1", "q1", told.team, now, due_at)
            made.announce(told)
            plain.warned.setdefault(conversation, told)
        elif step == "answer":
            made.answer(conversation)
            plain.warned.pop(conversation, None)
        else:
            assert made.advance(now) == plain.advance(now)
    assert made.advance(now) == plain.advance(now)
