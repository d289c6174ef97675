"""A platform that fails is no excuse for what came in over another one, where sources carry their platform's name."""

import msgspec
import pytest

from sla_engine._core.circumstances import Circumstances
from tests.builders import customer
from tests.causes.matrix import LIMITS
from tests.sla_engine.entries import NOON, Log
from tests.sla_engine.floors import SECOND, beats, said_after
from wire.incident import Cause, IncidentSaid
from wire.kinds import Kind


def hit(said: list[IncidentSaid], *sources: str) -> set[tuple[Cause, str, bool | None]]:
    """Cause, source and whether only chats (False) or anything (None) are hit, where these sources tell."""
    log, circumstances = Log(), Circumstances(LIMITS.load)
    for number, source in enumerate(sources):
        circumstances.take(log.entry(source, Kind.CUSTOMER_TURN, customer("09:00", f"c{number}").body))
    for each in said:
        circumstances.take(log.entry("~incident", Kind.INCIDENT, each))
    return {(each.cause, each.source, each.voice) for each in circumstances.impaired([], {})}


def qianniu_fails() -> list[IncidentSaid]:
    log = Log()
    return said_after(
        *beats(log, ["a1"], NOON),
        *beats(log, ["b1"], NOON, "south"),
        log.platform("a1", NOON + SECOND, is_reachable=False),
        log.platform("b1", NOON + SECOND, site="south", is_reachable=False),
    )


def qianniu_is_not_run_on_a2() -> list[IncidentSaid]:
    log = Log()
    seats = ["a1", "a2"]
    stopped = log.platform("a2", NOON + SECOND, is_running=False)
    return said_after(*beats(log, seats, NOON), *(log.platform(seat, NOON) for seat in seats), stopped)


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["chat/acme"], {("", False)}),
        (["qianniu/acme", "jd/acme"], {("qianniu/acme", None)}),
        (["acme.qianniu-1", "acme_qianniu_2", "qianniuren"], {("acme.qianniu-1", None), ("acme_qianniu_2", None)}),
        ([], {("", False)}),
    ],
)
def test_a_platform_hits_what_its_own_sources_tell_or_every_chat_where_none_has_its_name(
    sources: list[str], expected: set[tuple[str, bool | None]]
) -> None:
    assert hit(qianniu_fails(), *sources) == {(Cause.PLATFORM, *each) for each in expected}


def test_a_platform_of_two_words_is_known_by_both() -> None:
    """As the sample of the seats' configuration has one."""
    said = [msgspec.structs.replace(each, subject="shop-chat") for each in qianniu_fails()]
    assert hit(said, "shop-chat/acme", "shop/acme", "chat/acme") == {(Cause.PLATFORM, "shop-chat/acme", None)}


def test_an_account_that_is_offline_is_so_for_what_its_platform_tells() -> None:
    found = hit(qianniu_is_not_run_on_a2(), "qianniu/acme", "jd/acme")
    assert found == {(Cause.ACCOUNT_OFFLINE, "qianniu/acme", None)}
    assert hit(qianniu_is_not_run_on_a2(), "chat/acme") == {(Cause.ACCOUNT_OFFLINE, "", None)}
