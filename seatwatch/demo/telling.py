"""What the demo tells the person at its terminal, in words of the glossary."""

from collections.abc import Mapping
from typing import Any, Final

from seatwatch.demo.script import Action, Mishap
from seatwatch.printed.teller import Teller

MS_PER_S: Final = 1_000
_BEFALLS: Final = {
    Action.SURGE: "befalls_surge",
    Action.CUT_LINE: "befalls_cut_line",
    Action.MEND_LINE: "befalls_mend_line",
    Action.LOSE_MAINS: "befalls_lose_mains",
    Action.RESTORE_MAINS: "befalls_restore_mains",
    Action.KILL_COLLECTOR: "befalls_kill_collector",
}


def befalls(mishap: Mishap, tell: Teller) -> str:
    """The line that announces it."""
    return tell.filled(_BEFALLS[mishap.action], site=mishap.site)


def status(board: Mapping[str, Any], tell: Teller) -> str:
    """How things stand: the board in one line."""
    clients = board["clients"].values()
    met = sum(client["day"]["attainment"]["part"] for client in clients)
    judged = sum(client["day"]["attainment"]["whole"] for client in clients)
    return tell.filled(
        "demo_status",
        waiting=sum(client["live"]["waiting"] for client in clients if client["live"]),
        share=_share(met, judged, tell),
        sites=", ".join(f"{site['id']} {tell.word(site['state']).lower()}" for site in board["sites"].values()),
    )


def ending(summary: Mapping[str, Any], tell: Teller) -> list[str]:
    """What became of every event, and each client's figures with what they were made of."""
    names = ("sent", "durable", "acknowledged", "lost", "duplicates")
    lines = [tell.filled("demo_events", **{name: summary[name] for name in names})]
    if summary["clients"] is None:
        return [*lines, tell.word("demo_no_board")]
    for client, figures in summary["clients"].items():
        average = figures["averages"]["average_response"]
        mean = tell.word("no_data").lower()
        if average["count"]:
            seconds = f"{average['mean_ms'] / MS_PER_S:.1f}"
            mean = tell.filled("demo_average", seconds=seconds, count=average["count"])
        share = _share(figures["attainment"]["met"], figures["attainment"]["judged"], tell)
        lines.append(tell.filled("demo_client", client=client, share=share, mean=mean))
    return lines


def _share(met: int, judged: int, tell: Teller) -> str:
    return f"{100 * met / judged:.1f} % ({met}/{judged})" if judged else tell.word("no_data").lower()
