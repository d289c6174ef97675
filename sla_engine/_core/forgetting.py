"""Letting go of conversations nobody may correct any more.

They are those without an event for the grace time, by their own watermark.
"""

import msgspec

from sla_engine._core.conversation import Conversation
from sla_engine._core.limits import HOUR_MS
from sla_engine._core.watermark import FEEDS


class Forgetting(msgspec.Struct):
    """By feed: hour of the last event when looked at last -> conversations. One place per conversation."""

    hours: list[dict[int, list[str]]] = msgspec.field(default_factory=lambda: [{} for _ in FEEDS])

    def note(self, feed: int, at: int, key: str) -> None:
        """A conversation begins."""
        keys = self.hours[feed].get(at // HOUR_MS)
        if keys is None:
            self.hours[feed][at // HOUR_MS] = [key]
        else:
            keys.append(key)

    def sweep(self, conversations: dict[str, Conversation], marks: list[int], grace_ms: int) -> list[Conversation]:
        """Take out of `conversations` what is past its grace, and return it.

        Without any definition nothing is let go.
        """
        gone: list[Conversation] = []
        if not grace_ms:
            return gone
        for feed, hours in enumerate(self.hours):
            limit = (marks[feed] - grace_ms) // HOUR_MS
            while hours and (hour := min(hours)) < limit:
                for key in hours.pop(hour):
                    conversation = conversations[key]
                    if conversation.feed != feed or conversation.last_at // HOUR_MS >= limit:
                        self.note(conversation.feed, conversation.last_at, key)
                    else:
                        gone.append(conversations.pop(key))
        return gone
