"""Who works where for whom, effective-dated, and the rules: roster links, definitions, contracts."""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from wire._fields import Count, Instant, Name, Word
from wire.body import Body
from wire.limits import ATTRIBUTES_MAX, BODY_BYTES_MAX

Attributes = Annotated[dict[Word, Word], Meta(max_length=ATTRIBUTES_MAX)]
Document = Annotated[bytes, Meta(max_length=BODY_BYTES_MAX)]


class Relation(StrEnum):
    """subject -> target. client -> shop -> queue; sub-account -> person -> team -> seat -> site; seats; shifts; hours.

    The subject of a broadband line is `site/line`: lines of two sites may have one name.
    """

    SHOP_OF_CLIENT = "shop_of_client"
    QUEUE_OF_SHOP = "queue_of_shop"
    PERSON_OF_ACCOUNT = "person_of_account"
    TEAM_OF_PERSON = "team_of_person"
    SEAT_OF_PERSON = "seat_of_person"
    SITE_OF_SEAT = "site_of_seat"
    MODE_OF_SEAT = "mode_of_seat"
    CONTRACTED_SEATS = "contracted_seats"
    SHIFT_OF_PERSON = "shift_of_person"
    SITE_OF_LINE = "site_of_line"
    CONTRACTED_SEATS_OF_SHOP = "contracted_seats_of_shop"
    HOURS_OF_SITE = "hours_of_site"


class RosterLink(Body, frozen=True, array_like=True, gc=False):
    """`subject` has `target` under `relation` within [effective_from, effective_until), None = open-ended.

    A later link of the same relation and subject ends the earlier one at its own effective_from. occurred_at is when it
    was decided. attributes carry extras (counts; times of shifts and service hours as HH:MM, and of the latter the zone
    with its table, as wire.zone_text has it; row, switch and circuit of a seat; carrier of a line, what that
    knows it by (`carrier_line_id`) and `egress`, its public addresses as networks apart by spaces).
    """

    relation: Relation
    subject: Name
    target: Word
    effective_from: Instant
    effective_until: Instant | None = None
    attributes: Attributes = msgspec.field(default_factory=dict)


class DefinitionPublished(Body, frozen=True, array_like=True, gc=False):
    """A definition: its name, version, and its canonical document (MessagePack of sla_engine's Definition)."""

    name: Name
    version: Count
    effective_from: Instant
    document: Document


class ContractSigned(Body, frozen=True, array_like=True, gc=False):
    """Which definitions and targets apply to which queues, from when: canonical document as MessagePack."""

    name: Name
    effective_from: Instant
    document: Document
