"""Who is there, by a queue_log: logins, memberships, pauses, wrap-up."""

from pathlib import Path

import pytest

from tests.collector.importers.queue_logs import BEGAN, line, reading_of, told
from wire.conversation import Activity, PresenceChanged
from wire.frame import GoneRange


def presence_of(directory: Path, *rows: str) -> list[str]:
    """`+5 a-1 on_break (lunch)`, by time; what was told last about an instant decides, so of ties only that stays."""
    bodies = [body for body in told(reading_of(directory, "".join(rows))) if isinstance(body, PresenceChanged)]
    found: dict[tuple[int, str], str] = {}
    for body in sorted(bodies, key=lambda each: each.occurred_at):
        words = [body.account, body.presence]
        words += [body.activity] if body.activity is not Activity.IDLE else []
        words += [f"({body.pause_reason})"] if body.pause_reason else []
        second = (body.occurred_at - BEGAN * 1000) // 1000
        found[second, body.account] = f"+{second} {' '.join(words)}"
    return list(found.values())


@pytest.mark.parametrize(
    ("kind", "params"),
    [("AGENT", ("chan-1", 600)), ("AGENTCALLBACK", ("1001@default", 600, "CommandLogoff"))],
)
def test_a_login_lasts_until_the_logoff(kind: str, params: tuple[object, ...], tmp_path: Path) -> None:
    rows = [
        line(0, "NONE", "NONE", "Agent/001", f"{kind}LOGIN", params[0]),
        line(600, "NONE", "NONE", "Agent/001", f"{kind}LOGOFF", *params),
    ]
    assert presence_of(tmp_path, *rows) == ["+0 Agent/001 ready", "+600 Agent/001 offline"]


def test_a_login_before_the_file_is_reckoned_from_what_the_logoff_states(tmp_path: Path) -> None:
    row = line(600, "NONE", "NONE", "a-1", "AGENTLOGOFF", "chan-1", 900)
    assert presence_of(tmp_path, row) == ["+-300 a-1 ready", "+600 a-1 offline"]


def test_a_member_is_there_as_long_as_in_any_queue(tmp_path: Path) -> None:
    rows = [
        line(0, "MANAGER", "q-1", "a-1", "ADDMEMBER", ""),
        line(1, "MANAGER", "q-2", "a-1", "ADDMEMBER", ""),
        line(5, "MANAGER", "q-1", "a-1", "REMOVEMEMBER", ""),
        line(9, "MANAGER", "q-2", "a-1", "REMOVEMEMBER", ""),
    ]
    assert presence_of(tmp_path, *rows) == ["+0 a-1 ready", "+1 a-1 ready", "+5 a-1 ready", "+9 a-1 offline"]


def test_a_member_may_be_added_paused(tmp_path: Path) -> None:
    rows = [line(0, "CLI", "q-1", "a-1", "ADDMEMBER", "PAUSED"), line(9, "NONE", "q-1", "a-1", "UNPAUSE")]
    assert presence_of(tmp_path, *rows) == ["+0 a-1 on_break", "+9 a-1 ready"]


def test_on_a_break_is_who_paused_in_every_queue(tmp_path: Path) -> None:
    rows = [
        line(0, "CLI", "q-1", "a-1", "ADDMEMBER"),
        line(0, "CLI", "q-2", "a-1", "ADDMEMBER"),
        line(5, "NONE", "q-1", "a-1", "PAUSE", "lunch"),
        line(6, "NONE", "q-2", "a-1", "PAUSE", "lunch"),
        line(9, "NONE", "q-1", "a-1", "UNPAUSE", "Auto-Unpause"),
    ]
    assert presence_of(tmp_path, *rows) == ["+0 a-1 ready", "+5 a-1 ready", "+6 a-1 on_break (lunch)", "+9 a-1 ready"]


def test_a_member_by_the_configuration_is_known_in_the_queues_where_it_pauses(tmp_path: Path) -> None:
    rows = [
        line(5, "NONE", "q-1", "a-1", "PAUSE", "lunch"),
        line(5, "NONE", "q-2", "a-1", "PAUSE", "lunch"),
        line(9, "NONE", "q-1", "a-1", "UNPAUSE"),
    ]
    assert presence_of(tmp_path, *rows) == ["+5 a-1 on_break (lunch)", "+9 a-1 ready"]


def test_a_pause_everywhere_names_no_queue(tmp_path: Path) -> None:
    rows = [line(5, "NONE", "NONE", "a-1", "PAUSEALL", ""), line(9, "NONE", "NONE", "a-1", "UNPAUSEALL", "")]
    assert presence_of(tmp_path, *rows) == ["+5 a-1 on_break", "+9 a-1 ready"]


def test_a_logoff_ends_the_break_and_every_membership(tmp_path: Path) -> None:
    rows = [
        line(0, "NONE", "NONE", "a-1", "AGENTLOGIN", "chan"),
        line(1, "NONE", "q-1", "a-1", "ADDMEMBER"),
        line(5, "NONE", "NONE", "a-1", "PAUSEALL"),
        line(9, "NONE", "NONE", "a-1", "AGENTLOGOFF", "chan", 9),
        line(20, "NONE", "NONE", "a-1", "AGENTLOGIN", "chan"),
    ]
    assert presence_of(tmp_path, *rows)[-2:] == ["+9 a-1 offline", "+20 a-1 ready"]


@pytest.mark.parametrize(
    ("event", "queue", "params"),
    [("UNPAUSEALL", "NONE", ()), ("UNPAUSE", "q-1", ()), ("PAUSEALL", "NONE", ()), ("WRAPUPSTART", "q-1", (15,))],
)
def test_who_logged_off_is_not_brought_back_by_what_the_exchange_writes_behind(
    event: str, queue: str, params: tuple[object, ...], tmp_path: Path
) -> None:
    rows = [
        line(0, "NONE", "NONE", "a-1", "AGENTCALLBACKLOGIN", "1001@default"),
        line(900, "NONE", "NONE", "a-1", "AGENTCALLBACKLOGOFF", "1001@default", 900, "CommandLogoff"),
        line(901, "NONE", queue, "a-1", event, *params),
        line(2000, "NONE", "NONE", "a-1", "AGENTCALLBACKLOGIN", "1001@default"),
    ]
    behind = ["+900 a-1 offline", "+901 a-1 offline"]
    assert presence_of(tmp_path, *rows) == ["+0 a-1 ready", *behind, "+2000 a-1 ready"]


def test_a_pause_in_a_queue_shows_a_member_by_the_configuration_though_other_queues_were_left(tmp_path: Path) -> None:
    rows = [
        line(0, "NONE", "q-1", "a-1", "ADDMEMBER"),
        line(10, "NONE", "q-1", "a-1", "REMOVEMEMBER"),
        line(20, "NONE", "q-2", "a-1", "PAUSE", "lunch"),
    ]
    assert presence_of(tmp_path, *rows)[-1] == "+20 a-1 on_break (lunch)"


def test_wrap_up_ends_by_itself(tmp_path: Path) -> None:
    rows = [line(0, "NONE", "NONE", "a-1", "AGENTLOGIN", "chan"), line(5, "c-1", "q-1", "a-1", "WRAPUPSTART", 15)]
    assert presence_of(tmp_path, *rows) == ["+0 a-1 ready", "+5 a-1 ready wrap_up", "+20 a-1 ready"]


def test_a_break_that_begins_in_wrap_up_outlasts_it(tmp_path: Path) -> None:
    rows = [
        line(5, "c-1", "q-1", "a-1", "WRAPUPSTART", 15),
        line(9, "NONE", "NONE", "a-1", "PAUSEALL", "lunch"),
        line(60, "NONE", "NONE", "a-1", "UNPAUSEALL"),
    ]
    assert presence_of(tmp_path, *rows) == [
        "+5 a-1 ready wrap_up",
        "+9 a-1 on_break wrap_up (lunch)",
        "+20 a-1 on_break (lunch)",
        "+60 a-1 ready",
    ]


def test_who_logs_off_in_wrap_up_is_gone_at_once(tmp_path: Path) -> None:
    rows = [line(5, "c-1", "q-1", "a-1", "WRAPUPSTART", 15), line(9, "NONE", "NONE", "a-1", "AGENTLOGOFF", "chan", 9)]
    assert presence_of(tmp_path, *rows) == ["+5 a-1 ready wrap_up", "+9 a-1 offline", "+20 a-1 offline"]


def test_after_a_restart_nobody_is_known_to_be_there(tmp_path: Path) -> None:
    rows = [
        line(0, "NONE", "NONE", "a-1", "AGENTLOGIN", "chan"),
        line(1, "NONE", "NONE", "a-2", "AGENTLOGIN", "chan"),
        line(5, "NONE", "NONE", "a-2", "AGENTLOGOFF", "chan", 4),
        line(9, "c-1", "q-1", "NONE", "ENTERQUEUE"),
        line(300, "NONE", "NONE", "NONE", "QUEUESTART"),
    ]
    assert presence_of(tmp_path, *rows)[-2:] == ["+5 a-2 offline", "+9 a-1 offline"]


def test_whose_phone_is_answered_after_a_restart_was_a_member_since_then(tmp_path: Path) -> None:
    rows = [
        line(0, "NONE", "q-1", "a-1", "ADDMEMBER"),
        line(10, "NONE", "NONE", "NONE", "QUEUESTART"),
        line(100, "c-1", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
        line(105, "c-1", "q-1", "a-1", "CONNECT", 5, "u", 3),
    ]
    assert presence_of(tmp_path, *rows) == ["+0 a-1 offline", "+10 a-1 ready"]


def test_a_member_of_the_configuration_is_there_when_the_phone_rings_though_others_left(tmp_path: Path) -> None:
    rows = [
        line(0, "NONE", "q-1", "a-1", "ADDMEMBER"),
        line(10, "NONE", "q-1", "a-1", "REMOVEMEMBER"),
        line(100, "c-1", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
        line(117, "c-1", "q-1", "a-2", "RINGNOANSWER", 15000),
        line(190, "c-1", "q-1", "NONE", "ABANDON", 1, 1, 90),
    ]
    assert presence_of(tmp_path, *rows) == ["+0 a-1 ready", "+10 a-1 offline", "+100 a-2 ready"]


def test_phones_that_rang_before_anybody_was_told_of_are_told_with_the_first(tmp_path: Path) -> None:
    rows = [
        line(0, "c-1", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
        line(5, "c-1", "q-1", "a-2", "CONNECT", 5, "u", 3),
        line(60, "c-1", "q-1", "a-2", "COMPLETECALLER", 5, 55, 1),
        line(70, "NONE", "q-1", "a-1", "ADDMEMBER"),
    ]
    assert presence_of(tmp_path, *rows[:3]) == [], "where no row is about people, nothing is known of them"
    assert presence_of(tmp_path, *rows) == ["+70 a-2 ready", "+70 a-1 ready"]


def test_a_ring_from_before_somebody_left_brings_nobody_back(tmp_path: Path) -> None:
    rows = [
        line(0, "NONE", "q-1", "a-1", "ADDMEMBER"),
        line(1, "c-1", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
        line(10, "NONE", "q-1", "a-1", "REMOVEMEMBER"),
        line(12, "c-1", "q-1", "a-1", "RINGNOANSWER", 10000),
        line(30, "c-1", "q-1", "NONE", "ABANDON", 1, 1, 29),
    ]
    assert presence_of(tmp_path, *rows) == ["+0 a-1 ready", "+10 a-1 offline"]


def test_a_login_before_the_file_is_reckoned_though_the_phone_rang_meanwhile(tmp_path: Path) -> None:
    rows = [
        line(0, "c-1", "q-1", "NONE", "ENTERQUEUE", "", "", 1),
        line(5, "c-1", "q-1", "a-1", "CONNECT", 5, "u", 3),
        line(60, "c-1", "q-1", "a-1", "COMPLETECALLER", 5, 55, 1),
        line(600, "NONE", "NONE", "a-1", "AGENTLOGOFF", "chan-1", 900),
    ]
    assert presence_of(tmp_path, *rows) == ["+-300 a-1 ready", "+600 a-1 offline"]


@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("PJSIP/7009", "PJSIP/7009"),
        ("Local/1001@agents/n", "Local/1001@agents/n"),
        ("Ann Lee", "Ann~20Lee"),
        ("~gap", "n~7Egap"),
        ("\u5f20\u4e09", "n~E5~BC~A0~E4~B8~89"),
    ],
)
def test_a_members_name_becomes_an_account(name: str, account: str, tmp_path: Path) -> None:
    assert presence_of(tmp_path, line(0, "NONE", "q-1", name, "ADDMEMBER")) == [f"+0 {account} ready"]


def test_long_names_stay_apart(tmp_path: Path) -> None:
    rows = [line(0, "NONE", "q-1", "x" * 200 + end, "ADDMEMBER") for end in "ab"]
    bodies = [body for body in told(reading_of(tmp_path, "".join(rows))) if not isinstance(body, GoneRange)]
    accounts = {body.account for body in bodies if isinstance(body, PresenceChanged)}
    assert len(accounts) == 2
    assert {len(account) for account in accounts} == {96}
