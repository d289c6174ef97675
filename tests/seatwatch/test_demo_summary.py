"""What the demo says of itself, in both languages, its figures with what they were made of."""

from typing import Final
from zoneinfo import ZoneInfo

import pytest

from seatwatch.__main__ import main
from seatwatch.demo.run import summary
from seatwatch.demo.script import Action, Mishap
from seatwatch.demo.telling import befalls, ending, status
from seatwatch.floor.outcome import Outcome
from seatwatch.glossary import Language, words
from seatwatch.printed.teller import Teller

UTC: Final = ZoneInfo("UTC")
LANGUAGES: Final[tuple[Language, Language]] = ("en", "zh")
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
    said = summary(OUTCOME, {"clients": {}}, 1)
    assert said["attainment"] == {"ratio": None, "met": 0, "judged": 0}
    assert said["averages"]["first_response"]["mean_ms"] is None
    assert said["clients"] == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_board_at_the_end_nothing_is_known_and_nothing_is_nought(language: Language) -> None:
    said = summary(OUTCOME, {}, 2)
    names = ("attainment", "averages", "offered", "answered", "abandoned", "clients")
    assert [said[name] for name in names] == [None] * len(names)
    assert ending(said, Teller(language, UTC))[1] == words()["demo_no_board"].text(language)


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "en",
            [
                "sent 9, durable 9, acknowledged 9, lost 0, duplicates 0",
                "acme: first response within 10 s 90.0 % (9/10), average response 4.0 s of 10",
                "bolt: first response within 10 s no data, average response no data",
            ],
        ),
        (
            "zh",
            [
                "发出 9，落盘 9，已确认 9，丢失 0，重复 0",
                "acme：10 秒首响 90.0 % (9/10)，平均响应 4.0 秒（共 10 次）",
                "bolt：10 秒首响 无数据，平均响应 无数据",
            ],
        ),
    ],
)
def test_the_ending_is_told_in_the_language_of_the_person(language: Language, lines: list[str]) -> None:
    board = {"clients": {"a": client("acme", 9, 10, 40_000, 10), "b": client("bolt", 0, 0, 0, 0)}}
    assert ending(summary(OUTCOME, board, 1), Teller(language, UTC)) == lines


def test_the_board_is_told_in_one_line_of_either_language() -> None:
    shown = {**client("acme", 36, 45, 0, 0), "live": {"waiting": 21}}
    sites = {"s1": {"id": "site1", "state": "ok"}, "s2": {"id": "site2", "state": "on_battery"}}
    board = {"clients": {"a": shown, "b": {**client("bolt", 0, 0, 0, 0), "live": None}}, "sites": sites}
    told = "waiting 21, first response within 10 s 80.0 % (36/45); site1 ok, site2 on battery"
    assert status(board, Teller("en", UTC)) == told
    assert status(board, Teller("zh", UTC)) == "等待 21，10 秒首响 80.0 % (36/45)；site1 正常, site2 电池供电"


@pytest.mark.parametrize("action", Action)
def test_everything_that_can_befall_a_floor_is_announced_in_both_languages(action: Action) -> None:
    english, chinese = (befalls(Mishap(0, action, "site2"), Teller(each, UTC)) for each in LANGUAGES)
    assert english.isascii()
    assert not chinese.isascii()
    assert ("site2" in english) == ("site2" in chinese) == (action not in {Action.SURGE, Action.KILL_COLLECTOR})


def test_an_address_that_is_none_of_this_machine_is_refused_with_what_to_give(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo", "--listen", "203.0.113.9"]) == 2
    told = " ".join(capsys.readouterr().err.replace("\u2502", " ").split())
    assert "--listen: 203.0.113.9:8787: " in told
    assert "give an address of this machine, or 0.0.0.0" in told
