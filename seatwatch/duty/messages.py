"""Messages to sites and clients: the facts made into what a channel sends, in its language."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from dashboards.alerting._core.duty_facts import DutyFacts, DutyKind
from dashboards.alerting._core.duty_message import DutyShown, compose_duty
from dashboards.alerting._core.message import Message, Reader
from dashboards.wallboard._core.names import Names
from seatwatch.glossary import Language, words
from seatwatch.settings import Defaults
from wire.board import Tile

KINDS: Final[Mapping[str, DutyKind]] = {
    "pre-opening": DutyKind.PRE_OPENING,
    "daily": DutyKind.DAILY,
    "handover": DutyKind.HANDOVER,
}
"""As a person writes them."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def board_link(public_url: str, at: int, zone: str, *, of_client: bool) -> str:
    """The board as it stood at `at` (ms); "" where nobody said how people reach the server.

    To a client it is the portal's: they have an account there, and no token of a screen.
    """
    if not public_url:
        return ""
    moment = (_EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(zone)).replace(microsecond=0)
    page = "/portal/board" if of_client else "/"
    return f"{public_url.rstrip('/')}{page}?at={moment.isoformat().replace('+', '%2B')}"


def with_names(facts: DutyFacts, names: Names) -> DutyFacts:
    """The facts under the names that the configuration gives."""
    tiles = [replace(tile, name=_tile_name(tile, names)) for tile in facts.tiles]
    name = (names.clients if facts.is_of_client else names.sites).get(facts.id) or facts.name
    return replace(facts, tiles=tiles, name=name)


def _tile_name(tile: Tile, names: Names) -> str:
    """Of a client's figures at a site, the client's."""
    if tile.scope == "site":
        return names.clients.get(tile.client) or tile.client
    return names.queue(tile.client, tile.id)


def duty_message(
    facts: DutyFacts,
    language: Language,
    zone: str,
    *,
    names: Names,
    public_url: str,
    defaults: Defaults,
    late_ms: int = 0,
    skipped: int = 0,
) -> Message:
    """What is sent. zone: of the instants told. late_ms: how long after its time. skipped: earlier ones not sent."""
    texts = {key: word.text(language) for key, word in words().items()}
    names = names.told_in(language)
    reader = Reader(language, texts, ZoneInfo(zone), names.sites)
    shown = defaults.fill(DutyShown, "paging", prefix="message_", few_judged=defaults.int("board.few_judged"))
    # the instant a day ends shows the next one, of which there is nothing yet
    shown_at = facts.at - 1 if facts.kind is DutyKind.DAILY else facts.at
    link = board_link(public_url, shown_at, zone, of_client=facts.is_of_client)
    return compose_duty(with_names(facts, names), reader, shown, link=link, late_ms=late_ms, skipped=skipped)
