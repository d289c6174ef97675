"""One identity that floods is put aside, kept away for a while, and costs the others nothing."""

from collector._core.floods import FloodRules, Floods

RULES = FloodRules(frames_per_s=50, burst=200, excess=500, within_ms=10_000, away_ms=300_000)
NOW = 1_000_000


def test_a_probe_at_its_busiest_is_always_let_through() -> None:
    floods = Floods(RULES)
    assert all(floods.may_pass("site1/seat-01", NOW + 25 * n) for n in range(4_000))
    assert floods.away(NOW) == frozenset()


def test_what_is_beyond_a_burst_is_put_aside_and_others_are_not() -> None:
    floods = Floods(RULES)
    passed = [floods.may_pass("site1/seat-01", NOW) for _ in range(300)]
    assert passed == [True] * 200 + [False] * 100
    assert floods.may_pass("site1/seat-02", NOW)
    assert floods.away(NOW) == frozenset()
    assert floods.may_pass("site1/seat-01", NOW + 20)


def test_who_goes_on_is_kept_away_and_may_try_again_later() -> None:
    floods = Floods(RULES)
    for n in range(2_000):
        floods.may_pass("site1/seat-01", NOW + n)
    assert floods.away(NOW + 2_000) == {"site1/seat-01"}
    assert floods.away(NOW + 301_998) == {"site1/seat-01"}
    assert floods.away(NOW + 301_999) == frozenset()


def test_a_little_too_much_for_long_keeps_nobody_away() -> None:
    floods = Floods(RULES)
    for n in range(20_000):
        floods.may_pass("site1/seat-01", NOW + n * 1000 // 60)
    assert floods.away(NOW) == frozenset()
