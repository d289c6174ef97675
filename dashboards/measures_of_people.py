"""Measures from M11 on: of the people who serve, of quality, and of how complete the figures are."""

from typing import Final

from dashboards import catalogue as c
from dashboards.measure import REPOSTED, Elsewhere, Measure

OF_PEOPLE: Final = (
    Measure(
        "M11",
        "concurrency",
        "conversations in one person's hands while there are any: mean by time, the level not exceeded for "
        "95 % of it, the most; one whose end no source tells, until `board.hands_idle` (2 h) after the last word on it",
        "conversations",
        ("Tile.load",),
        (),
        (
            Elsewhere(
                "Amazon Connect", "counts slots; one metric named after agents counts contacts", "metrics reference"
            ),
            Elsewhere("ServiceNow", "closes a live chat that is idle for two hours by itself", "its documentation"),
        ),
    ),
    Measure(
        "M11",
        "saturation",
        "conversations in the hands of people who are ready / how many they are meant to hold (`limit` of the roster)",
        "ratio",
        ("Tile.saturation",),
        (),
        (Elsewhere("Feige", "somebody who is 100 % saturated counts as not free, as one offline does", REPOSTED),),
        (c.SATURATION, c.TEAM_SATURATION),
    ),
    Measure(
        "M12",
        "handle_time",
        "a call: answer to end of the leg, hold included, wrap-up not; a chat: accepted (or assigned) to the "
        "end of the leg, not "
        "adjusted for concurrency; of legs that were answered",
        "ms",
        ("Detail.voice_handle_time", "Detail.chat_handle_time"),
        ("E4",),
        (Elsewhere("most", "add wrap-up, and divide chats by concurrency without saying so", "vendors' metric pages"),),
    ),
    Measure(
        "M13",
        "resolution",
        "start of the session to its close, of sessions closed in somebody's hands; a return within the gap goes on",
        "ms",
        ("Detail.resolution",),
        ("E6",),
        (Elsewhere("Plain", "has a first and a total resolution", "plain.com docs"),),
    ),
    Measure(
        "M14",
        "occupancy",
        "time serving or in wrap-up / time ready or serving, of people, as their presence tells it. Adherence, "
        "presence against the schedule, is not computed: a shift of the roster says when somebody begins and "
        "ends, without breaks or days off, so that a rate from it would blame people for both",
        "ratio",
        ("Tile.occupancy",),
        (),
        (
            Elsewhere(
                "Amazon Connect",
                "recalculates adherence up to 30 days back when a schedule changes",
                "administrator guide",
            ),
        ),
        (c.TEAM_OCCUPANCY,),
    ),
    Measure(
        "M15",
        "transfer_rate",
        "legs handed on or put back into a queue / all legs but unanswered rings",
        "ratio",
        ("Detail.transfers",),
        ("E4",),
        (Elsewhere("Rocket.Chat", "credits the last one with the first response", "Rocket.Chat issue 34156"),),
    ),
    Measure(
        "M15",
        "unanswered_rings",
        "legs of calls in which the phone was never picked up; each is an unanswered leg too, and no transfer",
        "count",
        ("Detail.unanswered_rings",),
        ("E4",),
    ),
    Measure(
        "M15",
        "unanswered_legs",
        "legs in which the customer was owed a reply and got none from that person / all legs; owed from the "
        "beginning on a call, in a chat from the first message that is told; no data where in no leg one was owed, "
        "as in a table of sessions",
        "ratio",
        ("Detail.unanswered_legs",),
        ("E4",),
        (Elsewhere("Tmall", "the same, as an unanswered turn of the first account", REPOSTED),),
    ),
    Measure(
        "M16",
        "bot_time",
        "start of the session to its entry into the queue of humans, where both are told",
        "ms",
        ("Detail.bot_time",),
        ("E1", "E2"),
        (Elsewhere("Chatwoot", "an event of its own for the hand-over", "conversation_bot_handoff"),),
    ),
    Measure(
        "M17",
        "quality_checked",
        "answered sessions that ended in somebody's hands and that a quality check looked at / all of them, by the day "
        "they began; beside it those that passed / checked, and those with a fatal mistake. A check is about the one "
        "of them that began last before it; checked again, the latest check counts. No data before the first check "
        "anybody told of. Not in second figures",
        "ratio",
        ("Detail.quality_checked", "Detail.quality_passed", "Detail.quality_fatal"),
        ("E6",),
    ),
    Measure(
        "M18",
        "coverage",
        "1 - window time in which a live feed was silent or lost events / window time so far; with the "
        "attainment had all that is "
        "missing been missed, and met",
        "ratio",
        ("Tile.coverage",),
        (),
        (
            Elsewhere(
                "all others", "publish a rate without saying what was not seen", "none of 13 systems compared has it"
            ),
        ),
        (c.COVERAGE,),
    ),
    Measure(
        "M20",
        "staffed_seats",
        "people ready or serving, each counted once, weighted by time over a half hour; beside contracted seats",
        "people",
        ("Tile.staffing",),
        (),
        (Elsewhere("Asterisk", "tells how many are logged in at an instant, no time", "AMI QueueSummary, LoggedIn"),),
        (c.STAFFED, c.CONTRACTED),
    ),
    Measure(
        "M20",
        "seat_shortfall",
        "seat time of the service window not filled, half hour by half hour: none makes good for another",
        "ms",
        ("Tile.staffing",),
        metrics=(c.SHORTFALL,),
    ),
    Measure(
        "warnings",
        "surge",
        "conversations of one team warned within a minute, neither answered nor due yet, from three on",
        "conversations",
        ("Tile.surge",),
        metrics=(c.TEAM_SURGE,),
    ),
)
