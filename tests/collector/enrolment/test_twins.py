"""Two machines with one identity are told from one machine that restarts."""

from collector.enrolment._core.twins import TwinRules, Twins
from seatwatch.settings import load_defaults

LIVE = 30_000
RULES = load_defaults().fill(TwinRules, "enrolment", prefix="twin_", live_ms=LIVE)


def play(twins: Twins, epochs: str, every_ms: int = 1_000, start: int = 0) -> list[bool]:
    return [twins.heard("s/1", epoch.encode(), start + n * every_ms) for n, epoch in enumerate(epochs)]


def test_restarts_however_many_are_one_machine() -> None:
    twins = Twins(RULES)
    assert not any(play(twins, "aabbccdeeefgh"))
    assert not twins.is_doubled("s/1")


def test_one_message_overtaken_by_a_restart_is_no_second_machine() -> None:
    twins = Twins(RULES)
    assert not any(play(twins, "aabab"[:4]))


def test_two_that_take_turns_are_found_once_and_refused_until_one_is_gone() -> None:
    #  a b a b a b ······ a a a   (b is gone for 30 s)
    twins = Twins(RULES)
    assert play(twins, "ababab").count(True) == 1
    assert twins.is_doubled("s/1")
    assert not any(play(twins, "a" * 29, start=6_000))
    assert twins.is_doubled("s/1")
    play(twins, "aaa", start=35_000)
    assert not twins.is_doubled("s/1")


def test_epochs_that_are_long_over_are_forgotten() -> None:
    twins = Twins(RULES)
    assert not any(play(twins, "abababab", every_ms=LIVE))


def test_other_identities_are_not_concerned() -> None:
    twins = Twins(RULES)
    play(twins, "ababab")
    assert not twins.is_doubled("s/2")
