"""What every figure means: formula, unit, edge cases, and what other systems call it. The catalogue of measures.

The words in both languages are the glossary's; the definitions of docs/reference/definitions.md settle the edge cases.
`python -m tools.metrics_page` prints docs/reference/metrics.md from this and from the catalogue of metrics.
"""

from typing import Final

from dashboards import catalogue as c
from dashboards.measure import REPOSTED, Elsewhere, Measure
from dashboards.measures_of_people import OF_PEOPLE

MEASURES: Final = (
    Measure(
        "M1",
        "first_response",
        "time from the start of the customer's clock to the first valid reply; mean = sum over answered "
        "sessions / their "
        "number",
        "ms",
        ("Figures.first_response",),
        ("E1", "E2", "E4", "E5", "E7", "E8", "E9", "E10", "E15", "E17"),
        (
            Elsewhere(
                "Zendesk",
                "from ticket creation to the first public comment of a person",
                "support.zendesk.com 4408821871642",
            ),
            Elsewhere(
                "Intercom",
                "shows the median, grouped by the day the conversation began",
                "intercom.com/help 3653556, 8425113",
            ),
            Elsewhere(
                "Chatwoot",
                "reports start at the hand-over from the bot, its service level at the creation: two clocks "
                "in one product",
                "chatwoot message.rb, issues 6409, 12058, 13392",
            ),
            Elsewhere(
                "Amazon Connect", "starts at the assignment, so that the queue is not in it", "API_ChatContactMetrics"
            ),
            Elsewhere("Feige", "human stage only; an assist robot's answer counts, a welcome does not", REPOSTED),
        ),
        (c.FIRST_RESPONSE,),
    ),
    Measure(
        "M1",
        "seat_response",
        "the same reply, from the assignment of the leg that gave it; of answered sessions whose source "
        "tells assignments",
        "ms",
        ("Figures.seat_response",),
        ("E1", "E4"),
        (Elsewhere("Kuaishou", "its older five-minute rate has both clocks, shop and seat", REPOSTED),),
    ),
    Measure(
        "M2, M4, M5",
        "attainment",
        "met / judged, counted in sessions, in turns, or in people's days: a person's day is met when none "
        "of its turns is late",
        "ratio",
        ("Figures.attainment",),
        ("E7", "E10", "E11", "E13", "E16", "E18"),
        (
            Elsewhere("Kuaishou", "three-minute rate by person: one late turn spoils the day", REPOSTED),
            Elsewhere("Feige, Taobao", "the same name by turn in some texts and by person in others", REPOSTED),
            Elsewhere(
                "JD", "first enquiry within 30 s; leaves the rate when nobody is online; restated in 2021", REPOSTED
            ),
            Elsewhere(
                "Zendesk", "a ticket never answered is in no average at all", "support.zendesk.com 4408821871642"
            ),
        ),
        (c.JUDGED, c.MET, c.JUDGED_TOTAL, c.MET_TOTAL, c.SECOND_JUDGED, c.SECOND_MET, c.TEAM_JUDGED, c.TEAM_MET),
    ),
    Measure(
        "M2",
        "near_limit",
        "judged ones whose time is less than the source's resolution away from the limit; the rate may be off by them",
        "count",
        ("Detail.near_limit",),
        ("E16",),
        metrics=(c.NEAR_LIMIT,),
    ),
    Measure(
        "M3",
        "average_response",
        "sum of turns / their number; a turn runs from the first customer message since the last reply to "
        "the next valid one; of chats whose messages are told: talk on a call is no turn",
        "ms",
        ("Figures.average_response",),
        ("E2", "E4", "E5", "E10", "E12", "E14"),
        (
            Elsewhere(
                "Tmall", "each turn at most 600 s, an unanswered one counts 600 s, a new turn per sub-account", REPOSTED
            ),
            Elsewhere("Zammad", "keeps the longest segment only", "zammad issue 3410"),
            Elsewhere(
                "Plain", "next response time is the gap between two of our own messages", "next-response-time.md"
            ),
            Elsewhere(
                "Zendesk Chat", "live: how long visitors have been waiting so far", "live chat API, response_time_avg"
            ),
        ),
        (c.AVERAGE_RESPONSE, c.RESPONSES, c.RESPONSE, c.TEAM_AVERAGE_RESPONSE),
    ),
    Measure(
        "M3",
        "unanswered_turns",
        "turns that ended unanswered; in a mean only under a cap",
        "count",
        ("Detail.unanswered_turns",),
        ("E4", "E10", "E12"),
        (
            Elsewhere("Tmall", "counts 600 s for one that is unanswered on that day", REPOSTED),
            Elsewhere("Chatwoot", "next response time runs on after the end", "chatwoot issue 10178"),
        ),
    ),
    Measure(
        "M6",
        "not_served_sessions",
        "sessions judged not served: nobody was ready when the clock started, and no reply came in time",
        "count",
        ("Detail.not_served",),
        ("E13",),
        (
            Elsewhere(
                "Feige",
                "also while everybody ready is saturated, which here is a cause of a miss and no verdict, "
                "and a session assigned and never answered beyond the welcome",
                REPOSTED,
            ),
        ),
        (c.NOT_SERVED,),
    ),
    Measure(
        "M6",
        "nobody_online_sessions",
        "sessions whose clock started while nobody who serves the queue was ready, whatever became of them",
        "count",
        ("Detail.nobody_online",),
        ("E13",),
        (Elsewhere("Glia", "says 100 % when nobody is online", "support.salemove.com 115000834972"),),
        (c.NOBODY_ONLINE,),
    ),
    Measure(
        "M7",
        "service_level",
        "one of seven formulas, always named, with its threshold (see the board's page); "
        "the wait ends when who answered took it",
        "ratio",
        ("Figures.service_level",),
        ("E11", "E16"),
        (
            Elsewhere("Asterisk", "two of them side by side, over completed calls and over all", "app_queue.c"),
            Elsewhere("Amazon Connect", "who hangs up in time counts as served", "administrator guide"),
            Elsewhere(
                "Genesys, Talkdesk",
                "short abandons leave the denominator",
                "help.mypurecloud.com, data-dictionary.talkdesk.com",
            ),
            Elsewhere("XCALLY", "who hangs up in time leaves the denominator", "xcally wiki"),
        ),
    ),
    Measure(
        "M8",
        "answer_wait",
        "from the queue of humans until who answered took it, of answered sessions, ringing for others in vain "
        "included: sum / number",
        "ms",
        ("Figures.answer_wait",),
        (),
        (Elsewhere("Asterisk", "Holdtime is a moving average of integers, no mean", "app_queue.c, recalc_holdtime"),),
    ),
    Measure(
        "M9",
        "abandoned",
        "sessions the customer left unanswered by own choice; beside offered, answered, unanswered and excluded",
        "count",
        ("Figures.abandoned", "Figures.offered", "Figures.answered", "Figures.unanswered", "Figures.excluded"),
        ("E11", "E15"),
        (
            Elsewhere(
                "Asterisk", "its counter also rises for time-outs and empty queues", "app_queue.c, record_abandoned"
            ),
            Elsewhere(
                "FreeSWITCH", "whatever was not answered is one cause, with reasons beneath it", "mod_callcenter.c"
            ),
        ),
        (c.OFFERED, c.SESSIONS, c.OFFERED_TOTAL, c.SESSIONS_TOTAL),
    ),
    Measure(
        "M9",
        "short_abandoned",
        "of those, who left within the definition's short time, in whichever way leaving counts",
        "count",
        ("Figures.short_abandoned",),
        ("E11",),
        (Elsewhere("Mitel", "6 s, a switch for whether they count", "Mitel contact center manual"),),
        (c.SESSIONS,),
    ),
    Measure(
        "M9",
        "not_judged",
        "sessions neither met nor missed, counted by reason",
        "count",
        ("Detail.not_judged", "Detail.answered_out_of_hours"),
        ("E7", "E9", "E10", "E11", "E13", "E15"),
        (
            Elsewhere("JD", "leaves out what began from 23:00 to 09:00, and what came while all are offline", REPOSTED),
            Elsewhere(
                "Genesys, Talkdesk",
                "short abandons may be left out",
                "help.mypurecloud.com, data-dictionary.talkdesk.com",
            ),
        ),
    ),
    Measure(
        "M10",
        "wait_split",
        "in the queue until assigned to who answered (what it rang for others in vain, or was in hands that never "
        "answered, is queue); from there until accepted; from there until the reply: each over those that tell it; "
        "together the first response, from the queue on",
        "ms",
        ("Detail.queue_wait", "Detail.accept_wait", "Detail.reply_wait"),
        ("E1",),
        (Elsewhere("Asterisk", "hold time and ring time; chat platforms mostly tell none of it", "queue_log"),),
    ),
    *OF_PEOPLE,
)
"""Every measure, by its code."""
