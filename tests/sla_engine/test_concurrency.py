"""How many conversations somebody has in hands over time."""

from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sla_engine._core.concurrency import Concurrency
from sla_engine._core.groups import Group
from sla_engine.reports._core.buckets import By
from tests.builders import agent, assigned, clock, closed, customer, entries, rules, transferred, works
from tests.sla_engine.facts import load
from tests.sla_engine.folding import Folding
from tests.sla_engine.reports.reporting import filled, made
from wire.board import Load, Ratio


def test_changes_count_in_order_of_event_time_once_the_watermark_has_passed_them() -> None:
    hands = Concurrency()
    hands.advance(0)
    hands.add(load("c2", 0, 3_000, 1))
    hands.add(load("c1", 0, 1_000, 1))
    hands.add(load("c1", 1, 2_000, -1))
    hands.advance(2_500)
    assert (hands.loads["anna@shop"].now, hands.loads["anna@shop"].peak) == (0, 1)
    hands.advance(3_000)
    assert (hands.loads["anna@shop"].now, hands.loads["anna@shop"].load_ms) == (1, 1_000)


def test_a_correction_takes_back_what_did_not_happen() -> None:
    hands = Concurrency()
    hands.add(load("c1", 0, 1_000, 1))
    hands.advance(5_000)
    hands.add(load("c2", 0, 6_000, 1))
    hands.advance(6_000)
    hands.add(load("c1", 1, 1_000, -1))
    assert (hands.loads["anna@shop"].now, hands.loads["anna@shop"].load_ms) == (1, 0)


def test_a_new_day_starts_with_what_is_in_hands() -> None:
    hands = Concurrency()
    for number in range(3):
        hands.add(load(f"c{number}", 0, 1_000, 1))
    hands.add(load("c0", 1, 2_000, -1))
    hands.add(load("d0", 0, 1_000, 1, account="bo"))
    hands.add(load("d0", 1, 1_500, -1, account="bo"))
    hands.advance(4_000)
    hands.begin_window(4_000)
    assert {account: (held.now, held.peak, held.load_ms) for account, held in hands.loads.items()} == {
        "anna@shop": (2, 2, 0)
    }


HOUR = 3_600_000


def of_anna(_account: str) -> tuple[str, list[Group]]:
    return "anna", [("team", "red")]


def of_red(account: str) -> tuple[str, list[Group]]:
    return account, [("team", "red")]


CHANGES = st.lists(st.tuples(st.integers(0, 50), st.sampled_from([1, -1])), max_size=20)


@given(changes=CHANGES, seed=st.integers(), marks=st.lists(st.integers(0, 60), max_size=5))
def test_means_are_the_same_however_late_the_changes_came(
    changes: list[tuple[int, int]], seed: int, marks: list[int]
) -> None:
    facts = [load(f"c{number}", 0, at, change) for number, (at, change) in enumerate(changes)]
    ordered, shuffled = Concurrency(), Concurrency()
    for fact in facts:
        ordered.add(fact)
    Random(seed).shuffle(facts)
    waiting = sorted(marks)
    for fact in facts:
        if waiting:
            shuffled.advance(waiting.pop(0))
        shuffled.add(fact)
    for hands in (ordered, shuffled):
        hands.advance(60)
        hands.by_group(lambda account: (account, ()))
    assert {a: (x.now, x.load_ms, x.levels) for a, x in shuffled.loads.items()} == {
        a: (x.now, x.load_ms, x.levels) for a, x in ordered.loads.items()
    }


@given(changes=CHANGES, accounts=st.lists(st.integers(0, 2), min_size=20, max_size=20), seed=st.integers())
def test_several_accounts_of_one_person_are_one_pair_of_hands_however_they_were_told(
    changes: list[tuple[int, int]], accounts: list[int], seed: int
) -> None:
    together, alone = Concurrency(), Concurrency()
    told = list(enumerate(zip(changes, accounts, strict=False)))
    Random(seed).shuffle(told)
    for mark, (number, ((at, change), account)) in enumerate(told):
        together.add(load(f"c{number}", 0, at, change, account=f"anna-{account}"))
        alone.add(load(f"c{number}", 0, at, change))
        together.advance(mark)
        together.by_group(of_anna)
    for hands in (together, alone):
        hands.advance(60)
    assert together.by_group(of_anna) == alone.by_group(of_anna)


def test_a_load_is_mean_share_of_time_and_peak_of_everybody_in_the_group() -> None:
    hands = Concurrency()
    for number, at in enumerate((0, 10_000, 19_500)):
        hands.add(load(f"c{number}", 0, at, 1))
    hands.add(load("c2", 1, 20_000, -1))
    hands.add(load("d0", 0, 0, 1, account="bo"))
    hands.advance(20_000)
    assert hands.by_group(of_red) == {("team", "red"): Load(Ratio(10_000 + 19_000 + 1_500 + 20_000, 40_000), 2, 3)}


def test_what_lasted_no_time_is_no_peak() -> None:
    hands = Concurrency()
    hands.add(load("c1", 0, 1_000, 1))
    hands.add(load("c2", 0, 2_000, 1))
    hands.add(load("c1", 1, 2_000, -1))
    hands.advance(9_000)
    hands.by_group(lambda account: (account, ()))
    assert hands.loads["anna@shop"].peak == 1


def test_who_has_nothing_in_hands_has_no_load() -> None:
    hands = Concurrency()
    hands.advance(9_000)
    assert hands.by_group(of_red) == {}


def test_who_uses_two_accounts_has_in_hands_what_both_hold_on_the_board_and_in_a_report(tmp_path: Path) -> None:
    both = ("anna-1", "anna-2")
    told = [*rules(), *(event for account in both for event in works(account, "anna", "red", "a1", "north"))]
    for account in both:
        told += [customer("09:00:00", account), assigned("09:00:00", account, account)]
        told += [agent("09:00:05", account, account), closed("10:00", account)]
    folded = Folding()
    folded.fold_all(entries([*told, clock("11:00")]))
    held = Load(Ratio(2 * HOUR, HOUR), 2, 2)
    assert folded.part().client.load == held
    ledger = filled(tmp_path / "clients" / "acme", [*told, clock("11:00")])
    for by in (By.DAY, By.TEAM, By.AGENT):
        found = made(ledger, by, "04:00", "+1 04:00")
        assert [found.total.load, *(row.load for row in found.rows)] == [held, held]


def test_a_conversation_that_nobody_ever_closed_leaves_the_hands_as_it_does_by_a_restart() -> None:
    """The day after its grace its person has one conversation, not two; in whatever batches the ledger is folded."""
    lost = [customer("09:00:00", "lost"), assigned("09:00:02", "anna", "lost"), agent("09:00:08", "anna", "lost")]
    handed = [customer("09:01:00", "h"), assigned("09:01:02", "anna", "h"), transferred("09:02", "h", account="bo")]
    days = [clock("+1 08:00"), clock("+1 12:00"), clock("+2 08:00")]
    again = [customer("+2 09:00:00", "c"), assigned("+2 09:00:00", "anna", "c"), agent("+2 09:00:05", "anna", "c")]
    told = entries([*rules(), *lost, *handed, *days, *again, closed("+2 10:00:00", "c"), clock("+2 11:00")])
    for cuts in (range(len(told)), (), (7, 9, 12)):
        folded = Folding()
        folded.fold_all(told, cuts)
        assert folded.part().client.load == Load(Ratio(HOUR, HOUR), 1, 1), cuts
