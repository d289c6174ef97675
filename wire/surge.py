"""What the wallboard's alarm is about."""

from typing import Final

import msgspec

LEAD: Final = "*"
"""Stands for somebody signed in who leads the team: whoever that is, a TV shows no people."""


class Surge(msgspec.Struct, frozen=True, gc=False):
    """Many conversations of one team were warned at once and are not due yet: how many, and since when (ms).

    seen_at, seen_by: when (ms) somebody said they have seen it, None = nobody has, and on which device or under which
    credential: LEAD, "" = nobody knows. Of the screens of one server, and in no record.
    """

    conversations: int
    since: int
    seen_at: int | None = None
    seen_by: str = ""
