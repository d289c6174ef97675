"""A mapping bound to the columns of one file, and the words for what a row can be."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from wire.conversation import Channel, LeftReason
from wire.record import GapReason

Places = tuple[int, ...]
"""Columns of a role, by their place in the row."""


class Outcome(StrEnum):
    """What a row is. Every row is exactly one of these."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    NEVER_QUEUED = "never_queued"
    REJECTED = "rejected"


class Fault(StrEnum):
    """Why a row cannot be taken, beside the reasons a mapping gives itself."""

    CELLS_MISSING = "cells_missing"
    NOT_TEXT = "not_text"
    NOT_A_RECORD = "not_a_record"
    NO_RULE = "no_rule_fits"
    NOTHING_THERE = "nothing_there"
    NOT_AN_ID = "not_an_id"
    PERSONAL = "telephone_number"
    ID_REPEATED = "id_repeated"
    NOT_A_TIME = "not_a_time"
    TIME_SKIPPED = "time_skipped_by_clock_change"
    TIME_TWICE = "time_twice_at_clock_change"
    OUT_OF_RANGE = "time_out_of_range"
    IN_FUTURE = "occurred_in_future"
    NOT_A_DURATION = "not_a_duration"
    WAIT_CONTRADICTS = "wait_contradicts_times"
    ENDS_BEFORE_START = "leaves_before_it_enters"


class Note(StrEnum):
    """What is odd about a row that was taken, beside the notes a mapping makes itself."""

    TIME_TWICE = "time_twice_at_clock_change"
    END_MISSING = "service_end_missing"
    END_BEFORE_ANSWER = "service_ends_before_answer"
    SERVICE_BEFORE_ANSWER = "service_starts_before_answer"


class Ambiguous(StrEnum):
    """What a wall time means that the clock showed twice, where no duration decides."""

    REJECT = "reject"
    EARLIER = "earlier"
    LATER = "later"


class AnswerAt(StrEnum):
    """What counts as the answer: leaving the queue (a call is put through), or the start of service (a first reply)."""

    QUEUE_EXIT = "queue_exit"
    SERVICE_START = "service_start"


class Hole(NamedTuple):
    """The source told nothing from `since` until `until` (ms, event time), because of `reason`."""

    occurred_at: int
    reason: GapReason
    since: int
    until: int


class Condition(NamedTuple):
    """A column says, or does not say, one of `values`; "" is the empty cell."""

    place: int
    values: frozenset[str]
    negated: bool


class Rule(NamedTuple):
    """A row that fits all of `when` is this. reason: of a rejected one. left: why an abandoned one ended."""

    outcome: Outcome
    when: tuple[Condition, ...]
    reason: str
    left: LeftReason


class Plan(NamedTuple):
    """A mapping bound to the columns of one file. Each role holds the places of its columns.

    read: how many columns, from the first, up to the last that the mapping names.
    wait_within_ms: by less than this a stated wait may differ from the times beside it.
    """

    header: tuple[str, ...]
    read: int
    channel: Channel
    answer_at: AnswerAt
    ambiguous: Ambiguous
    resolution_ms: int
    wait_within_ms: int
    clock: str
    synced: bool
    constant_queue: str
    conversation: Places
    queue: Places
    account: Places
    offered: Places
    queue_entry: Places
    queue_exit: Places
    service_start: Places
    service_end: Places
    wait: Places
    service: Places
    date: Places
    date_of: Places
    values: Mapping[int, Mapping[str, str]]
    absent: tuple[tuple[Places, tuple[Condition, ...]], ...]
    rules: tuple[Rule, ...]
    notes: tuple[tuple[str, tuple[Condition, ...]], ...]

    @property
    def is_written(self) -> bool:
        """Whether the rows are of chats with a first reply, in which getting a conversation is no answer."""
        return self.channel is Channel.CHAT and self.answer_at is AnswerAt.SERVICE_START
