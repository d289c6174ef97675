"""Names of things, as distinct types, and the one rule what a name looks like.

A name is 1..96 characters of `[A-Za-z0-9._:@/~-]`, starting with a letter, a digit or `~`. `~` starts the sources that
Seatwatch itself writes as (`~clock`, `~gap` ...); a sender may not use it.
"""

import re
from typing import Final, NewType

from wire.limits import NAME_CHARS_MAX

SourceId = NewType("SourceId", str)
ClientId = NewType("ClientId", str)
SiteId = NewType("SiteId", str)
SeatId = NewType("SeatId", str)
QueueId = NewType("QueueId", str)
AccountId = NewType("AccountId", str)
ConversationId = NewType("ConversationId", str)

NAME_PATTERN: Final = r"^[A-Za-z0-9~][A-Za-z0-9._:@/~-]*$(?!\n)"
"""`$` alone would also match before a line feed at the end."""
_NAME = re.compile(NAME_PATTERN)
DERIVED_PREFIX: Final = "~"
UNASSIGNED: Final = "unassigned"
OPERATOR: Final = ClientId("operator")


def is_name(text: str) -> bool:
    """Whether `text` may serve as an id."""
    return len(text) <= NAME_CHARS_MAX and _NAME.match(text) is not None


def is_client(text: str) -> bool:
    """Whether `text` may name a client: no slash, since its ledger is a folder, and not the operator's."""
    return is_name(text) and "/" not in text and text != OPERATOR


def is_derived(source: str) -> bool:
    """Whether `source` is one of Seatwatch's own writers, which no sender may claim."""
    return source.startswith(DERIVED_PREFIX)
