"""Two clocks are compared by the least delay of each (E17)."""

from sla_engine._core.choices import ClockDomains
from sla_engine._core.skew import NO_DOMAIN, Skew, SkewState
from tests.builders import PRESET, Event, agent, changed, customer, declared, published, signed, transcript
from wire.kinds import Kind
from wire.record import Feed
from wire.recorded import Recorded
from wire.verdict import SessionFact

ESTIMATED = changed(clock_domains=ClockDomains.ESTIMATED_OFFSET)


def heard(skew: Skew, source: str, *delays: int, clock: str = "utc") -> int:
    number = NO_DOMAIN
    for delay in delays:
        entry = Recorded(0, 1_000 + delay, source, bytes(16), 0, Kind.AGENT_TURN, 1, None)
        number = skew.hear(entry, 1_000, clock)
    return number


def answered(feed: Feed = Feed.LIVE) -> SessionFact:
    """Asked at 09:00:00 by one clock, answered at 09:00:12 by one that is 5 s ahead, both told 50 ms later."""
    reply = agent("09:00:12", source="crm")
    told = [declared(0), declared(0, "crm", feed), published(ESTIMATED), signed()]
    asked = customer("09:00:00", arrives="09:00:00.050")
    return transcript(asked, Event(reply.body, "crm", reply.received_at - 4_950), given=told).session()


def test_the_least_delay_is_the_offset_and_the_usual_one_the_bound() -> None:
    skew = Skew(SkewState())
    phone, chat = heard(skew, "phone", 50, 90, 100), heard(skew, "chat", -4_950, -4_930)
    assert (phone, chat) == (1, 2)
    assert skew.between(phone, chat) == (-5_000, 30)
    assert skew.between(chat, phone) == (5_000, 30)


def test_one_clock_needs_no_estimate_and_an_unknown_one_has_none() -> None:
    skew = Skew(SkewState())
    phone = heard(skew, "phone", 50, 90)
    assert skew.between(phone, phone) == (0, 0)
    assert skew.between(phone, NO_DOMAIN) == (0, 0)


def test_a_source_may_have_several_clocks() -> None:
    skew = Skew(SkewState())
    assert heard(skew, "phone", 50) != heard(skew, "phone", 50, clock="pbx")


def test_a_reply_by_a_clock_that_is_ahead_is_in_time_where_offsets_are_estimated() -> None:
    fact = answered()
    assert (fact.first_response_ms, fact.verdict, fact.skew_bound_ms) == (7_000, "met", 0)


def test_times_of_a_source_that_tells_late_count_as_stamped() -> None:
    assert answered(Feed.DELAYED).first_response_ms == 12_000


def test_without_an_estimate_times_count_as_stamped() -> None:
    assert PRESET.clock_domains is ClockDomains.AS_STAMPED
    assert transcript(customer("09:00:00"), agent("09:00:12", source="crm")).session().first_response_ms == 12_000
