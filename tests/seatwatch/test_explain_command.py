"""`seatwatch explain`: a conversation in words, in both languages, and what is said when there is none."""

import json
import re
from pathlib import Path

import pytest

from seatwatch.__main__ import main
from sla_engine._core.definition import canonical, definition_hash
from tests.builders import (
    PRESET,
    agent,
    assigned,
    changed,
    clock,
    closed,
    contract,
    customer,
    declared,
    left,
    ms,
    offered,
    published,
    queued,
    rules,
    signed,
    transferred,
    works,
)
from tests.builders import accepted as took
from tests.sla_engine.feeding import Feed
from wire.conversation import Author, ClosedBy, Form, LeftReason
from wire.record import Feed as Told


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """c1: answered in time by a reply that came in five minutes late, and back half an hour later."""
    ledger = Feed(tmp_path / "clients" / "acme")
    ledger.append(
        [
            *rules(),
            *works("anna", "anna", "red", "a1", "north"),
            offered("09:00:00"),
            queued("09:00:00"),
            customer("09:00:00.500"),
            agent("09:00:01", "", author=Author.WELCOME),
            assigned("09:00:02"),
            took("09:00:03"),
            agent("09:00:08", "anna", arrives="09:05:00"),
            clock("09:00:30"),
            transferred("09:01:00", account="ben"),
            closed("09:02:00"),
            customer("09:40:00"),
            left("09:40:30"),
            clock("09:50:00"),
            customer("10:00:00", "c2"),
        ]
    )
    ledger.close()
    return tmp_path


def test_of_what_happened_before_every_contract_it_says_that_no_definition_applies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    *published, _ = rules()
    agreed = signed(contract(PRESET.name, since="08:00:00"))
    ledger.append([*published, agreed, customer(ms("09:00:00") // 1000, arrives="09:00:00"), clock("10:00:00")])
    ledger.close()
    assert main(["explain", "c1", "--client", "acme", "--data", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "1970-01-22" in told
    assert "No definition applies" in told


def explain(data: Path, *arguments: str) -> int:
    return main(["explain", *arguments, "--client", "acme", "--data", str(data)])


def test_english_says_timeline_clocks_rules_verdict_revisions_and_the_whole_hash(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(data, "c1") == 0
    page = capsys.readouterr().out
    for words in (
        "2026-11-02 09:00:00.500",
        "It entered the queue of people presale",
        "came in 4 min 52.000 s late",
        "Verdict: Met: Answered in time",
        "2026-11-02 09:00:00.000 -> 2026-11-02 09:00:08.000 = 8.000 s  (due 2026-11-02 09:00:10.000)",
        "Seat clock: 2026-11-02 09:00:02.000 -> 2026-11-02 09:00:08.000 = 6.000 s",
        "Answer wait: 3.000 s  (within the 10.000 s of the service level: taken in time / (offered - short abandons))",
        "Wait without an answer: 30.000 s  (beyond the 10.000 s of the service level: taken in time / (offered",
        "clock_start = arrival",
        "Our messages that are no reply: 1 (the welcome message)",
        "0: Breached: Not answered when due",
        "2: Met: Answered in time  decided by entry #",
        "Session 2",
        "gap_to_new_session_s = 10 min 0.000 s",
        definition_hash(canonical(PRESET)),
    ):
        assert words in page


def test_the_end_of_a_contact_that_was_answered_is_not_said_to_have_come_before_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    gone_silent = left("09:05:00", reason=LeftReason.WENT_SILENT)
    ledger.append([*rules(), customer("09:00:00"), agent("09:00:08", "anna"), gone_silent, clock("09:50:00")])
    ledger.close()
    for lang, ended in (("en", "It ended: went silent"), ("zh", "会话结束：客户不再回复")):
        assert explain(tmp_path, "c1", "--lang", lang) == 0
        assert ended in capsys.readouterr().out


def test_chinese_says_the_same(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(data, "c1", "--lang", "zh") == 0
    page = capsys.readouterr().out
    for words in (
        "判定: 达标: 按时应答",
        "客户时钟从进线起算",
        "8.000 秒",
        "应答等待: 3.000 秒",
        "晚到 4 分钟 52.000 秒",
        "未应答离开",
    ):
        assert words in page


def test_json_carries_integers_and_sentences_side_by_side(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(data, "c1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    first = found["sessions"][0]
    assert first["fact"]["first_response_ms"] == 8_000
    assert first["clocks"]["customer"]["total_ms"] == 8_000
    assert first["service_level"] == {
        "formula": "within_of_offered_less_short",
        "threshold_ms": 10_000,
        "wait_ms": 3_000,
        "is_within": True,
    }
    assert first["definition"]["sha256"] == definition_hash(canonical(PRESET))
    assert [rule["row"] for rule in first["rules"]][:2] == ["E1", "E2"]
    assert all(rule["text"] for rule in first["rules"])
    assert [said["fact"]["revision"] for said in first["revisions"]] == [0, 1, 2]
    assert max(event["late_ms"] for event in found["timeline"]) == 292_000


def test_at_picks_the_session_that_ran_then(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(data, "c1", "--at", "2026-11-02 09:40:10") == 0
    page = capsys.readouterr().out
    assert "Session 2" in page
    assert "Session 1 " not in page


def test_another_definition_may_be_asked_for(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "strict.toml"
    file.write_text(
        'based_on = "contract-10s"\nname = "strict"\nfirst_response_limit_s = 5\nwarning_after_s = 3\n',
        encoding="utf-8",
    )
    assert explain(data, "c1", "--definition", str(file)) == 0
    assert "Breached: Answered late" in capsys.readouterr().out


def test_the_contract_that_put_the_rules_in_force_is_named_with_its_date(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It changed at noon: the session before it goes on under the old one, the next is judged by the new one."""
    old, new = changed(name="old", first_response_limit_ms=30_000), changed(name="new")
    signatures = [signed(contract("old", name="k", since="08:00")), signed(contract("new", name="k", since="12:00"))]
    ledger = Feed(tmp_path / "clients" / "acme")
    first = [customer("11:59:58"), agent("12:00:13", "anna"), closed("12:01:00")]
    second = [customer("12:20:00"), agent("12:20:15", "anna")]
    ledger.append([declared(0), published(old), published(new), *signatures, *first, *second, clock("13:00:00")])
    ledger.close()
    assert explain(tmp_path, "c1") == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("Contract", "Verdict"))]
    assert told == [
        "Verdict: Met: Answered in time",
        "Contract: k, from 2026-11-02 08:00:00.000",
        "Verdict: Breached: Answered late",
        "Contract: k, from 2026-11-02 12:00:00.000",
    ]
    assert explain(tmp_path, "c1", "--definition", "new", "--lang", "zh") == 0
    assert "合同" not in capsys.readouterr().out


def test_rules_from_elsewhere_than_their_author_are_called_unofficial(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for lang, word in (("en", "(unofficial)"), ("zh", "(非官方)")):
        assert explain(data, "c1", "--definition", "jd-30s", "--lang", lang) == 0
        assert word in capsys.readouterr().out
        assert explain(data, "c1", "--lang", lang) == 0
        assert word not in capsys.readouterr().out
    assert explain(data, "c1", "--definition", "jd-30s", "--json") == 0
    assert json.loads(capsys.readouterr().out)["sessions"][0]["definition"]["official"] is False


def test_a_turn_that_is_not_judged_by_its_time_says_why(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "second.toml"
    stated = 'semantics = 2\nunit = "turn"\nleft_before_target = "met_if_within"\nfirst_response_limit_s = 30'
    file.write_text(f'based_on = "contract-10s"\n{stated}\neffective_from = 2020-01-01\n', encoding="utf-8")
    assert explain(data, "c1", "--definition", str(file), "--lang", "en") == 0
    assert "unassigned  Met (Left in time)" in capsys.readouterr().out


def test_times_are_of_the_definitions_zone_unless_another_is_named(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "berlin.toml"
    file.write_text('based_on = "contract-10s"\nname = "berlin"\ntime_zone = "Europe/Berlin"\n', encoding="utf-8")
    shown = []
    for more in ([], ["--definition", str(file)], ["--definition", str(file), "--zone", "Asia/Shanghai"]):
        assert explain(data, "c1", *more) == 0
        timeline = capsys.readouterr().out.splitlines()
        shown.append(next(line.split()[1] for line in timeline if line.strip().startswith("2026-")))
    shanghai, berlin, named = shown
    assert (int(shanghai[:2]) - int(berlin[:2])) % 24 == 7
    assert named == shanghai


def test_a_wait_that_is_not_judged_says_when_it_is_due(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(data, "c2") == 0
    page = capsys.readouterr().out
    assert "Not judged yet  due 2026-11-02 10:00:10.000" in page
    assert f"SHA-256 {definition_hash(canonical(PRESET))}" in page


def test_what_was_never_received_is_said_with_what_the_record_holds(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(data, "c9", "--at", "2026-11-02 09:00") == 1
    said = capsys.readouterr().err
    assert "c9: Not received. The ledger holds" in said
    assert "0 declared gaps with 0 events lost" in said
    assert explain(data, "c9", "--at", "2026-12-02") == 1
    assert "nothing of that time" in capsys.readouterr().err
    for at in ("2026-11-02 09:00", "2026-12-02"):
        assert explain(data, "c9", "--at", at, "--lang", "zh") == 1
        said = capsys.readouterr().err.partition(": ")[2]
        assert not re.search("[A-Za-z]", said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["c1", "--definition", "nothing"], "no such definition"),
        (["c1", "--definition", "contract-10s@9"], "contract-10s@1"),
        (["c1", "--at", "noon"], "noon"),
        (["c1", "--at", "2026-03-29 02:30", "--zone", "Europe/Berlin"], "the clock of Europe/Berlin skips that time"),
        ([""], "CONVERSATION: is empty"),
        (["c1", "--zone", "Nowhere"], "Nowhere"),
        (["c1", "--zone", "localtime"], "localtime"),
    ],
)
def test_what_cannot_be_asked_is_named(
    data: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain(data, *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_client_without_a_ledger_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "clients" / "acme").mkdir(parents=True)
    assert main(["explain", "c1", "--client", "beta", "--data", str(tmp_path)]) == 2
    assert "clients/beta: there is no ledger.json, so no ledger; there are: acme" in capsys.readouterr().err


def test_an_imported_call_says_once_when_it_came_in_and_that_it_was_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    ledger.append([*rules(), declared(0, "queue-log/acme", Told.DAILY)])
    call = [
        offered("09:00:00", voice=True, source="queue-log/acme"),
        assigned("09:00:05", source="queue-log/acme"),
        agent("09:00:08", "anna", source="queue-log/acme"),
        transferred("09:02:00", source="queue-log/acme"),
        closed("09:02:00", source="queue-log/acme"),
    ]
    ledger.append([event._replace(received_at=ms("+800 07:00")) for event in call])
    ledger.close()
    assert explain(tmp_path, "c1") == 0
    page = capsys.readouterr().out
    assert page.count("queue-log/acme: imported on 2029-01-10") == 1
    assert "Answered the call: anna" in page
    assert " late" not in page.replace("Answered late", "")
    assert "Our side wrote" not in page
    assert "Handed on" in page, "where to, a queue_log does not say"
    assert explain(tmp_path, "c1", "--lang", "zh") == 0
    page = capsys.readouterr().out
    assert ("2029-01-10 导入" in page, "接听：anna" in page, "晚到" in page) == (True, True, False)
    assert explain(tmp_path, "c1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert ({event["late_ms"] for event in found["timeline"]}, found["imported_from"]) == ({0}, ["queue-log/acme"])


def test_every_event_a_source_can_tell_has_its_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Feed(tmp_path / "clients" / "acme")
    events = [*rules(), offered("09:00:00", voice=True, outbound=True)]
    events += [customer("09:00:01", form=form) for form in Form]
    events += [agent("09:00:02", "", author=author) for author in Author]
    events += [left("09:00:03", reason=reason) for reason in LeftReason]
    events += [closed("09:00:04", by=by) for by in ClosedBy]
    ledger.append(events)
    ledger.close()
    for language in ("zh", "en"):
        assert explain(tmp_path, "c1", "--lang", language) == 0
        assert capsys.readouterr().out.count("2026-11-02 09:00") >= len(events) - 3
