"""Conversations as a source tells them: offered, queued, assigned, turns, transfer, the ends, and who is there."""

from enum import StrEnum

from wire._fields import Name, OptionalName, Word
from wire.body import Body


class Channel(StrEnum):
    """Chat counts turns; on a voice call the answer is the first reply and talk is not turns."""

    CHAT = "chat"
    VOICE = "voice"


class Direction(StrEnum):
    """Who opened it. An outbound conversation has no first response (E15)."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Author(StrEnum):
    """Who or what wrote on our side (E2). Only the definition says which of them is a valid reply."""

    HUMAN = "human"
    ASSIST = "assist"
    BOT = "bot"
    WELCOME = "welcome"
    SYSTEM = "system"
    NOTE = "note"
    CAMPAIGN = "campaign"


class Form(StrEnum):
    """What the customer sent (E14). Edits and recalls never move a clock.

    closing: a courtesy such as thanks, as the connector knows it; the text itself never comes here (E12).
    """

    TEXT = "text"
    MEDIA = "media"
    CARD = "card"
    ORDER_CARD = "order_card"
    CALL = "call"
    EDIT = "edit"
    RECALL = "recall"
    CLOSING = "closing"


class LeftReason(StrEnum):
    """Why an unanswered contact ended. Only `hung_up` and `went_silent` are the customer's own choice.

    turned_away: the queue took no more (full, too long a wait). queue_closed: outside the queue's hours.
    """

    HUNG_UP = "hung_up"
    WENT_SILENT = "went_silent"
    TIMED_OUT = "timed_out"
    NOBODY_ONLINE = "nobody_online"
    PRESSED_KEY = "pressed_key"
    WITHDRAWN = "withdrawn"
    TURNED_AWAY = "turned_away"
    QUEUE_CLOSED = "queue_closed"


class ClosedBy(StrEnum):
    """Who ended an answered conversation."""

    AGENT = "agent"
    CUSTOMER = "customer"
    SYSTEM = "system"


class Presence(StrEnum):
    """What the person chose."""

    READY = "ready"
    ON_BREAK = "on_break"
    OFFLINE = "offline"


class Activity(StrEnum):
    """What the system has the person doing."""

    IDLE = "idle"
    RESERVED = "reserved"
    SERVING = "serving"
    WRAP_UP = "wrap_up"


class Offered(Body, frozen=True, array_like=True, gc=False):
    """A conversation opened on a queue. `customer` is a pseudonym; `customer_key` names the key that made it."""

    conversation: Name
    queue: Name
    channel: Channel = Channel.CHAT
    direction: Direction = Direction.INBOUND
    customer: OptionalName = ""
    customer_key: OptionalName = ""
    linked: OptionalName = ""


class Queued(Body, frozen=True, array_like=True, gc=False):
    """It entered the queue of humans (after a menu or a bot)."""

    conversation: Name
    queue: Name


class Assigned(Body, frozen=True, array_like=True, gc=False):
    """It was given to a platform sub-account: the seat clock of a new leg starts."""

    conversation: Name
    account: Name
    queue: OptionalName = ""


class Accepted(Body, frozen=True, array_like=True, gc=False):
    """The person took it (ring answered, chat opened)."""

    conversation: Name
    account: Name


class CustomerTurn(Body, frozen=True, array_like=True, gc=False):
    """The customer wrote. `queue` serves sources that send no `offered`. Whose it is: `NamedCustomerTurn`."""

    conversation: Name
    form: Form = Form.TEXT
    queue: OptionalName = ""


class NamedCustomerTurn(CustomerTurn, frozen=True, array_like=True, gc=False):
    """Version 2 of a customer turn: it says whose it is, for sources that send no `offered`, or not for everybody.

    customer, customer_key: as in `Offered`. A version of its own, so that a turn that names nobody is for ever the same
    bytes, and what is sent or imported again is the same entry.
    """

    customer: OptionalName = ""
    customer_key: OptionalName = ""


class AgentTurn(Body, frozen=True, array_like=True, gc=False):
    """Our side answered; on a voice call, the answer."""

    conversation: Name
    account: OptionalName
    author: Author = Author.HUMAN


class Transferred(Body, frozen=True, array_like=True, gc=False):
    """Handed on, to a queue and/or an account ("" = unchanged / not yet known)."""

    conversation: Name
    queue: OptionalName = ""
    account: OptionalName = ""


class CustomerLeft(Body, frozen=True, array_like=True, gc=False):
    """It ended before any answer."""

    conversation: Name
    reason: LeftReason = LeftReason.HUNG_UP


class Closed(Body, frozen=True, array_like=True, gc=False):
    """It ended."""

    conversation: Name
    by: ClosedBy = ClosedBy.AGENT


class PresenceChanged(Body, frozen=True, array_like=True, gc=False):
    """A platform sub-account changed presence or activity. Goes to every shard."""

    account: Name
    presence: Presence
    activity: Activity = Activity.IDLE
    pause_reason: Word = ""


class SourceNote(Body, frozen=True, array_like=True, gc=False):
    """A source told something that moves nothing here. Kept by its name, so that no row of a log is lost silently.

    event: what the source calls it. What else it said may be about a customer and is dropped.
    """

    event: Word
    conversation: OptionalName = ""
    queue: OptionalName = ""
    account: OptionalName = ""


class QualityScored(Body, frozen=True, array_like=True, gc=False):
    """Somebody checked the quality of a conversation (M17). It moves no clock and no verdict.

    occurred_at: when it was checked; it is about the session that began last before, and a later check of the same
    session stands in place of this one. scorer: account of who checked. fatal: a mistake that fails it whatever else
    was good. sampled_by: the seed or the frame it was drawn by, "" = not told.
    """

    conversation: Name
    passed: bool
    scorer: OptionalName = ""
    fatal: bool = False
    sampled_by: Word = ""
