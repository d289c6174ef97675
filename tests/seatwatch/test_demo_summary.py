"""What the demo says of itself: its size in words, its figures with what they were made of."""

import pytest

from seatwatch.demo.run import summary, welcome
from seatwatch.floor.outcome import Outcome

OUTCOME = Outcome(sent=9, durable=9, acknowledged=9, lost=0, duplicates=0, declared_gone=0, quarantined=0)


def client(name: str, met: int, judged: int, total_ms: int, count: int) -> dict[str, object]:
    mean = {"total_ms": total_ms, "count": count}
    attainment = {"part": met, "whole": judged}
    day = {"attainment": attainment, "first_response": mean, "average_response": mean}
    return {"id": name, "day": {**day, "offered": judged, "answered": count, "abandoned": judged - count}}


def test_attainment_and_averages_are_ratios_of_sums_and_stand_with_their_counts() -> None:
    board = {"clients": {"a": client("acme", 9, 10, 40_000, 10), "b": client("bolt", 0, 2, 0, 0)}}
    said = summary(OUTCOME, board, 1)
    assert (said["sent"], said["lost"], said["server_starts"]) == (9, 0, 1)
    assert said["attainment"] == {"ratio": 0.75, "met": 9, "judged": 12}
    assert said["averages"]["average_response"] == {"mean_ms": 4000, "total_ms": 40_000, "count": 10}
    assert (said["offered"], said["answered"], said["abandoned"]) == (12, 10, 2)
    assert said["clients"]["acme"]["attainment"] == {"ratio": 0.9, "met": 9, "judged": 10}
    assert said["clients"]["bolt"]["averages"]["first_response"] == {"mean_ms": None, "total_ms": 0, "count": 0}


def test_where_nothing_was_judged_there_is_no_ratio() -> None:
    said = summary(OUTCOME, {}, 1)
    assert said["attainment"] == {"ratio": None, "met": 0, "judged": 0}
    assert said["averages"]["first_response"]["mean_ms"] is None
    assert said["clients"] == {}


@pytest.mark.parametrize(
    ("sites", "seats", "words"),
    [
        (1, 1, "1 site with 1 seat"),
        (1, 4, "1 site with 4 seats"),
        (3, 1, "3 sites with 1 seat each"),
        (3, 8, "3 sites with 8 seats each"),
    ],
)
def test_the_floor_is_counted_in_grammar(sites: int, seats: int, words: str) -> None:
    assert welcome(sites, seats) == words
