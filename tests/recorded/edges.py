"""Scenes in which something happens at the very millisecond that decides: one that is counted otherwise is noticed."""

from collections.abc import Iterator, Sequence
from typing import Final

from sla_engine._core.definition import Definition
from tests.builders import (
    Event,
    accepted,
    agent,
    assigned,
    back,
    clock,
    closed,
    contract,
    customer,
    gone,
    left,
    ms,
    offered,
    published,
    queued,
    silent,
    transferred,
)
from tests.recorded.scenes import Scene
from tests.sla_engine.golden import definition_of
from wire.conversation import Presence, PresenceChanged
from wire.organisation import Relation, RosterLink

MORNING: Final = 'service_windows = ["08:00-12:00", "13:00-18:00"]'
SPECIAL_DAY: Final = 'special_days.2026-11-02 = { windows = ["08:00-12:00"], first_response_limit_s = 15 }'
MEANWHILE: Final = "effective_from = 2026-11-02T09:42:00\ngap_to_new_session_s = 300"
PERSON_UNTIL: Final = RosterLink(
    0, 1, "", None, True, "", Relation.PERSON_OF_ACCOUNT, "dora", "p-dora", 0, ms("10:00:10")
)
ANSWERS: Final = (
    'boundary = "below"',
    'left_before_target = "ignore"',
    'left_before_target = "met_if_within"',
    'left_before_target = "met_if_within"\nboundary = "below"',
)


def edges() -> Iterator[Scene]:
    """One scene for each kind of edge."""
    yield _scene("limit", _limit(), "", *ANSWERS)
    yield _scene("watermark", _watermark(), "", "first_response_limit_s = 7")
    yield _scene(
        "window",
        _window(),
        f'{MORNING}\nwindow_closes = "pauses"',
        f'{MORNING}\nwindow_closes = "is_cut"',
        f'{MORNING}\nanswered_out_of_hours = "zero"',
        f'{MORNING}\nout_of_hours = "starts_at_opening"',
        f'{MORNING}\nout_of_hours = "counts_if_answered_inside"',
        'service_windows = ["08:00-10:00", "10:00-12:00"]\nwindow_closes = "is_cut"',
    )
    yield _scene("midnight", _midnight(), 'service_windows = ["20:00-02:00"]\nwindow_closes = "is_cut_at_midnight"')
    yield _scene("special-day", _special_day(), SPECIAL_DAY)
    yield _scene("gap", _gap(), "", "gap_to_new_session_s = 300", MEANWHILE)
    yield _scene("hands", _hands(), "", 'clock_start = "queued"', 'clock_start = "assigned"')
    yield _scene("queue-told", _queue_told(), f'{MORNING}\nclock_start = "queued"')
    yield _scene("two-clocks", _two_clocks(), 'clock_domains = "estimated_offset"')
    yield _scene("presence", _presence(), 'nobody_online = "leaves_metric"')
    yield _scene("too-late", _too_late(), "")
    yield _scene("same-instant", _same_instant(), "")
    yield _versions()
    yield _contracts()
    yield _entered()


def _scene(name: str, events: Sequence[Event], *differences: str) -> Scene:
    return Scene(name, events, [_named(f"{name}.{number}", each) for number, each in enumerate(differences)])


def _named(name: str, differences: str) -> Definition:
    return definition_of(f'name = "{name}"\n{differences}')


def _around(instant: str) -> list[tuple[str, int]]:
    """A millisecond before, at and after."""
    return [(name, ms(instant) + by) for name, by in (("before", -1), ("at", 0), ("after", 1))]


def _limit() -> list[Event]:
    """Answered, hung up and closed around the limit and the threshold of the service level, both 10 s; hung up
    around the short time, 5 s; answered to the second by a source that knows no more than seconds."""
    events: list[Event] = []
    for where, at in _around("09:00:10"):
        events += [customer("09:00", f"answered-{where}"), agent(at, c=f"answered-{where}")]
        events += [customer("09:00", f"left-{where}"), left(at, f"left-{where}")]
        events += [customer("09:00", f"closed-{where}"), closed(at, f"closed-{where}")]
    for where, at in _around("09:00:05"):
        events += [offered("09:00", f"short-{where}", voice=True), left(at, f"short-{where}")]
    for seconds in (9, 10, 11):
        c = f"seconds-{seconds}"
        events += [customer("09:00", c, resolution=1_000), agent(f"09:00:{seconds}", c=c, resolution=1_000)]
    return events


def _watermark() -> list[Event]:
    """The record is complete to the very instant that a reply is due, and that reply comes in next."""
    return [
        customer("09:10", "answered"),
        customer("09:10", "never"),
        clock("09:10:12"),
        agent("09:10:10", c="answered", arrives="09:10:12.001"),
        clock("09:10:12.002"),
        clock("09:20"),
    ]


def _window() -> list[Event]:
    """Written, answered and taken up again around an opening and a closing, and waited where two windows touch."""
    events = [customer("09:59:55", "touching"), agent("10:00:02", c="touching")]
    for edge in ("08:00", "12:00", "13:00"):
        for where, at in _around(edge):
            c = f"starts-{edge[:2]}-{where}"
            events += [customer(at, c), agent(at + 4_000, c=c)]
            c = f"waits-{edge[:2]}-{where}"
            events += [customer(ms(edge) - 10_000, c), agent(at, c=c), customer(at + 1, c), closed(at + 9_000, c)]
    for where, at in _around("12:00"):
        c = f"turn-{where}"
        events += [customer("11:59:30", c), agent("11:59:35", c=c), customer("11:59:55", c), agent(at, c=c)]
        c = f"again-{where}"
        events += [customer("11:59:30", c), closed("11:59:35", c), customer(at, c), agent(at + 2_000, c=c)]
    return events


def _midnight() -> list[Event]:
    events: list[Event] = []
    for where, at in _around("+1 00:00"):
        events += [customer("23:59:55", f"over-{where}"), agent(at, c=f"over-{where}")]
        events += [customer(at, f"starts-{where}"), agent(at + 4_000, c=f"starts-{where}")]
    return events


def _special_day() -> list[Event]:
    """Answered after 12 s, in time by the limit of this day's windows only."""
    events: list[Event] = []
    for edge in ("08:00", "12:00"):
        for where, at in _around(edge):
            events += [customer(at, f"{edge[:2]}-{where}"), agent(at + 12_000, c=f"{edge[:2]}-{where}")]
    return events


def _gap() -> list[Event]:
    """Back five and ten minutes after the end, with a wait that was answered and one that was lost."""
    events: list[Event] = []
    for minutes in (5, 10):
        for where, at in _around(f"09:{40 + minutes}:00"):
            c = f"answered-{minutes}-{where}"
            events += [customer("09:39", c), agent("09:39:05", c=c), closed("09:40", c)]
            events += [customer(at, c), agent(at + 3_000, c=c)]
            c = f"lost-{minutes}-{where}"
            events += [customer("09:39:57", c), closed("09:40", c), customer(at, c), agent(at + 3_000, c=c)]
    return events


def _hands() -> list[Event]:
    """Queued, assigned, accepted, handed over and called at the same instant as something else, or when it was due."""
    events = [
        *(offered("10:00", "at-once"), queued("10:00", "at-once"), customer("10:00", "at-once")),
        *(assigned("10:00", "anna", "at-once"), accepted("10:00", "anna", "at-once"), agent("10:00", c="at-once")),
        *(customer("10:00", "queue-passed"), queued("10:00:03", "queue-passed")),
        *(assigned("10:00:03", "anna", "queue-passed"), accepted("10:00:03", "anna", "queue-passed")),
        agent("10:00:13", c="queue-passed"),
    ]
    events.append(Event(PERSON_UNTIL, "~roster", 0))
    for where, at in _around("10:00:10"):
        c = f"by-dora-{where}"
        events += [customer("10:00", c), agent(at, "dora", c)]
        c = f"handed-over-{where}"
        events += [customer("10:00", c), assigned("10:00:01", "anna", c), transferred(at, c, account="ben")]
        c = f"assigned-{where}"
        events += [customer("10:00", c), assigned(at, "anna", c)]
        c = f"queued-{where}"
        events += [customer("10:00", c), queued(at, c), clock("10:10")]
        c = f"called-{where}"
        events += [customer("10:00", c), offered(at, c, voice=True)]
        c = f"queued-{where}-and-lost"
        events += [customer("10:00", c), queued(at, c), left("10:00:10", c)]
    return events


def _queue_told() -> list[Event]:
    """A source tells for the first time of a queue of people, at the instant of an arrival out of hours."""
    return [
        *(customer("07:00", "outside", source="told"), queued("07:00", "outside", source="told")),
        *(customer("09:00", "inside", source="told"), queued("09:00", "inside", source="told")),
        *(agent("09:00:04", c="inside", source="told"), closed("09:10", "outside", source="told")),
    ]


def _two_clocks() -> list[Event]:
    """Asked and answered at the same instant of two clocks, the second 700 ms behind."""
    return [
        customer("11:45", "same", arrives="11:45:00.050"),
        agent("11:45", c="same", source="crm", arrives="11:45:00.750"),
        customer("11:46", "next", arrives="11:46:00.050"),
        agent("11:46:00.001", c="next", source="crm", arrives="11:46:00.751"),
    ]


def _presence() -> list[Event]:
    """Nobody is there any more, or somebody again, from the very instant of an arrival."""
    events = [_present("10:29", Presence.READY), _present("10:30", Presence.OFFLINE), _present("10:35", Presence.READY)]
    for arrival in ("10:30", "10:35"):
        for where, at in _around(arrival):
            c = f"arrives-{arrival[3:]}-{where}"
            events += [customer(at, c), agent(at + 20_000, c=c)]
    return events


def _present(at: str, presence: Presence) -> Event:
    return Event(PresenceChanged(ms(at), 1, "chat", None, True, "", "anna", presence), "chat", ms(at))


def _too_late() -> list[Event]:
    """The first word of a conversation comes in as the grace ends, a day and the allowance after it happened."""
    heard: list[Event] = [customer("10:59", "on-time"), agent("10:59:05", c="on-time"), clock("+1 11:00:02")]
    for where, at in _around("11:00"):
        heard.append(customer(at, f"grace-{where}", arrives="+1 11:00:02"))
    return heard


def _same_instant() -> list[Event]:
    """Two things of one instant, told in turn, and one of them late: what was told first happened first."""
    return [
        *(customer("11:30", "late"), agent("11:30:05", c="late"), closed("11:31", "late")),
        customer("11:30:05", "late", arrives="11:31:01"),
        *(customer("11:30", "in-turn"), agent("11:30:05", c="in-turn"), customer("11:30:05", "in-turn")),
        agent("11:30:09", c="in-turn"),
        *(customer("11:30", "silent", source="mail"), silent("11:30:05", "mail"), back("11:30:20", "mail")),
        *(clock("11:30:22"), clock("11:30:23"), gone("11:35", 1, "11:30:10", "11:30:10", "mail")),
    ]


def _versions() -> Scene:
    """A version of a definition comes into force, another one restates from its own instant on, and two are of one."""
    texts = (
        "effective_from = 2026-11-02T00:00:00",
        "effective_from = 2026-11-02T09:00:00\nversion = 2\nfirst_response_limit_s = 7",
        'effective_from = 2026-11-02T10:00:00\nversion = 3\nredefinition = "restates"',
    )
    tied = ("", "first_response_limit_s = 7")
    events: list[Event] = []
    for effective in ("00:00", "09:00", "10:00"):
        for where, at in _around(effective):
            events += [customer(at, f"{effective[:2]}-{where}"), agent(at + 8_000, c=f"{effective[:2]}-{where}")]
    definitions = [_named("versions.0", text) for text in texts] + [_named("versions.1", text) for text in tied]
    return Scene("versions", events, definitions)


def _contracts() -> Scene:
    """Contracts that begin and end one after another, two by one name at once, and two at the ends of the table."""
    events: list[Event] = []
    for effective in ("08:00", "09:00", "11:00", "12:00"):
        for where, at in _around(effective):
            events += [customer(at, f"{effective[:2]}-{where}"), agent(at + 8_000, c=f"{effective[:2]}-{where}")]
    definitions = [_named("contracts.0", ""), _named("contracts.1", "first_response_limit_s = 7")]
    signed = [
        contract(definition, queues=(f"contracts.{queue}",), name=f"contracts-{name}", since=since, until=until)
        for name, definition, queue, since, until in (
            ("early", "contracts.0", "presale", "00:00", "08:00"),
            ("morning", "contracts.0", "presale", "07:00", "09:00"),
            ("morning", "contracts.1", "presale", "08:00", "09:00"),
            ("twice", "contracts.0", "presale", "09:00", "11:00"),
            ("twice", "contracts.1", "presale", "09:00", "11:00"),
            ("noon", "contracts.0", "presale", "11:00", "12:00"),
            ("late", "contracts.1", "presale", "12:00", None),
            ("held", "contracts.0", "aftersale", "07:00", None),
            ("held", "contracts.1", "aftersale", "07:00", None),
        )
    ]
    return Scene("contracts", events, definitions, signed)


def _entered() -> Scene:
    """A definition comes in at the instant of two arrivals, between one and the other."""
    first, second = _named("entered.0", ""), _named("entered.1", "first_response_limit_s = 7")
    events = [
        *(customer("11:50", "before"), published(second, arrives="11:50"), customer("11:50", "after")),
        *(agent("11:50:08", c="before"), agent("11:50:08", c="after")),
    ]
    signed = contract("entered.1", "entered.0", queues=("entered.presale",), name="entered")
    return Scene("entered", events, [first], [signed])
