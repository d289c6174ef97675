"""Transcripts as hypothesis draws them: legal and illegal, in order and out of it, from live and delayed sources."""

from hypothesis import strategies as st

from tests.builders import (
    Event,
    accepted,
    agent,
    assigned,
    closed,
    customer,
    ms,
    offered,
    queued,
    transferred,
)
from tests.builders import left as customer_left
from wire.conversation import Author, ClosedBy, LeftReason

NINE = ms("07:59:40")
"""Twenty seconds before the window opens, so that some sessions start outside it."""
CONVERSATIONS = ("c1", "c2", "c3")
ACCOUNTS = ("anna", "ben")
STEP = 500

times = st.integers(0, 240).map(lambda steps: NINE + steps * STEP)
far_times = st.integers(0, 4).map(lambda quarters: quarters * 601_000)
delays = st.sampled_from((0, 0, 0, 0, 500, 7_000, 60_000))
conversations = st.sampled_from(CONVERSATIONS)
accounts = st.sampled_from(ACCOUNTS)
queues = st.sampled_from(("presale", "aftersale"))
sources = st.sampled_from(("chat", "chat", "pbx"))


@st.composite
def told(draw: st.DrawFn) -> Event:
    """One event of one conversation. Calls (c3) carry no messages."""
    at = draw(times) + draw(st.sampled_from((0, 0, 0, 1))) * draw(far_times)
    arrives = at + draw(delays)
    source = draw(sources)
    c = draw(conversations)
    voice = c == "c3"
    choice = draw(st.integers(0, 11))
    if choice == 0:
        outbound = draw(st.integers(0, 4)) == 0
        return offered(at, c, draw(queues), voice=voice, outbound=outbound, arrives=arrives, source=source)
    if choice == 1:
        return queued(at, c, draw(queues), arrives=arrives, source=source)
    if choice == 2:
        return assigned(at, draw(accounts), c, arrives=arrives, source=source)
    if choice == 3:
        return accepted(at, draw(accounts), c, arrives=arrives, source=source)
    if choice in {4, 5, 6} and not voice:
        return customer(at, c, draw(queues), arrives=arrives, source=source)
    if choice in {4, 5, 6, 7, 8}:
        author = draw(st.sampled_from((Author.HUMAN, Author.HUMAN, Author.ASSIST, Author.WELCOME)))
        account = draw(st.sampled_from((*ACCOUNTS, "")))
        return agent(at, account, c, author=author, arrives=arrives, source=source)
    if choice == 9:
        to = draw(st.sampled_from(("", *ACCOUNTS)))
        return transferred(at, c, queue=draw(st.sampled_from(("", "aftersale"))), account=to, arrives=arrives, source=source)
    if choice == 10:
        return customer_left(at, c, draw(st.sampled_from(LeftReason)), arrives=arrives, source=source)
    return closed(at, c, draw(st.sampled_from(ClosedBy)), arrives=arrives, source=source)


transcripts = st.lists(told(), min_size=1, max_size=40)
