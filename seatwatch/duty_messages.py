"""Messages to sites and clients: the facts made into what a channel sends, in its language."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dashboards.alerting._core.duty_facts import DutyFacts, DutyKind
from dashboards.alerting._core.duty_message import DutyShown, compose_duty
from dashboards.alerting._core.message import Message, Reader
from seatwatch.glossary import Language, words
from seatwatch.settings import Defaults

KINDS: Final[Mapping[str, DutyKind]] = {
    "pre-opening": DutyKind.PRE_OPENING,
    "daily": DutyKind.DAILY,
    "handover": DutyKind.HANDOVER,
}
"""As a person writes them."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def board_link(public_url: str, at: int, zone: str) -> str:
    """The board as it stood at `at` (ms), on the server's wallboard; "" where nobody said how people reach it."""
    if not public_url:
        return ""
    moment = (_EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(zone)).replace(microsecond=0)
    return f"{public_url.rstrip('/')}/?at={moment.isoformat().replace('+', '%2B')}"


def duty_message(
    facts: DutyFacts,
    language: Language,
    zone: str,
    *,
    site_names: Mapping[str, str],
    public_url: str,
    defaults: Defaults,
    late_ms: int = 0,
) -> Message:
    """What is sent. zone: of the instants told. late_ms: how long after its time."""
    texts = {key: word.text(language) for key, word in words().items()}
    reader = Reader(language, texts, ZoneInfo(zone), site_names)
    shown = defaults.fill(DutyShown, "paging", prefix="message_", few_judged=defaults.int("board.few_judged"))
    return compose_duty(facts, reader, shown, link=board_link(public_url, facts.at, zone), late_ms=late_ms)
