"""What a person reads on a telephone: a title and a few lines, in their language, made of what Alertmanager tells."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import msgspec

from dashboards.alerting._core.kinds import ALWAYS_FIRES, HUB, HUB_DOWN
from dashboards.alerting._core.pager import Identity
from dashboards.alerting._core.wording import DETAIL_, FLAGS, GOES_ON, RUNBOOK, SAID_AT, SUBJECTS, how_much, what_word

FIRING: Final = "firing"
RESOLVED: Final = "resolved"
NO_WORD: Final = "no word"
"""Statuses: Alertmanager's two, and of what only lapsed, which Alertmanager takes for resolved."""
INCIDENT: Final = "incident"
TIER: Final = "tier"
FIRST_CALL: Final = 1
LOUDNESS: Final = ("call", "page", "ticket")
# Bound: of a label that is a number of calls.
_CALL_DIGITS: Final = 9
# Bound: of an instant in seconds.
_SECONDS_DIGITS: Final = 12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
# Format: instants that every zone can write.
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9000
"""An instant at the edge of the calendar has no time of day in every zone."""
ELLIPSIS: Final = "\u2026"
_STATUSES: Final = (FIRING, RESOLVED, NO_WORD)
"""What fires by one way has not ended; what was said to have ended is not merely heard of no more."""
_OWN_LABELS: Final = frozenset({"alertname", *Identity.__struct_fields__})


class AlertTold(msgspec.Struct, frozen=True):
    """One alert of a notification, as Alertmanager's webhook has it. ValueError where it tells no instants."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: str  # noqa: N815 - Alertmanager's own name
    endsAt: str  # noqa: N815 - likewise
    fingerprint: str

    def __post_init__(self) -> None:
        for text in (self.startsAt,) if self.status == FIRING else (self.startsAt, self.endsAt):
            if not FIRST_YEAR <= instant(text).year <= LAST_YEAR:
                raise ValueError(f"{text} is no instant of an alert")


class Told(msgspec.Struct, frozen=True):
    """A notification of Alertmanager (webhook version 4)."""

    status: str
    alerts: list[AlertTold]
    truncatedAlerts: int = 0  # noqa: N815 - likewise


class Trouble(msgspec.Struct, frozen=True):
    """One of those a message is about. key: the same from its first message to its last. line: says more than title."""

    key: str
    title: str
    line: str
    severity: str
    is_resolved: bool


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel sends. key: of the gravest of its troubles. link: to take them on; "" = none.

    troubles: each by itself, also those for which there is no line; none where it is about something else.
    """

    title: str
    lines: list[str]
    is_resolved: bool
    severity: str
    key: str
    link: str
    link_text: str
    troubles: list[Trouble] = []


class Reader(msgspec.Struct, frozen=True):
    """Whom a message is for. texts: the glossary in their language. language: as annotations name it.

    site_names, client_names: by id. steps: what an alert is about -> the first steps of its runbook, where messages are
    about alerts.
    """

    language: str
    texts: Mapping[str, str]
    zone: tzinfo
    site_names: Mapping[str, str]
    client_names: Mapping[str, str] = {}
    steps: Mapping[str, Sequence[str]] = {}


def compose(
    told: Told, reader: Reader, *, lines_shown: int, last_calls: Collection[int], link: Callable[[list[str]], str]
) -> Message:
    """The message about a notification. link: gives the address under which its firing incidents are taken on.

    last_calls: those after which nobody is called about what nobody took on.
    """
    alerts = without_replaced(without_earlier_calls(told.alerts))
    firing = [alert for alert in alerts if alert.status == FIRING]
    shown = sorted(firing or alerts, key=lambda alert: (alert.status == RESOLVED, _loudness(alert)))
    first = shown[0]
    ordered = (*shown, *(alert for alert in alerts if alert not in shown))
    hidden = max(0, len(ordered) - lines_shown) + told.truncatedAlerts
    lines = [_line(alert, reader) for alert in ordered[:lines_shown]]
    if hidden:
        lines.append(reader.texts["notify_more"].format(n=hidden))
    made = max(map(_call, firing), default=0)
    if made in last_calls:
        lines.append(reader.texts["notify_last_call"].format(n=made))
    lines += _what_to_do(first, reader)
    to_take_on = [
        a.labels[INCIDENT] for a in firing if INCIDENT in a.labels and _loudness(a) < LOUDNESS.index("ticket")
    ]
    return Message(
        title=_title(first, reader),
        lines=lines,
        is_resolved=_is_over(first),
        severity=first.labels.get("severity", ""),
        key=_key(first),
        link=link(to_take_on) if to_take_on else "",
        link_text=reader.texts["notify_take_on"],
        troubles=[*{_key(alert): _trouble(alert, reader) for alert in reversed(ordered)}.values()][::-1],
    )


def by_trouble(message: Message) -> list[Message]:
    """A message for each of its troubles, for those who keep them apart."""
    return [
        msgspec.structs.replace(
            message,
            title=one.title,
            lines=[one.line],
            is_resolved=one.is_resolved,
            severity=one.severity,
            key=one.key,
            troubles=[one],
        )
        for one in message.troubles
    ] or [message]


def as_said(alert: AlertTold, unsaid_after_ms: int) -> AlertTold:
    """The alert, with the status NO_WORD where nobody said that it ended.

    Alertmanager takes an alert for resolved too when whoever told of it fell silent: at the instant they gave with
    their last word, which is well after it. unsaid_after_ms: so long at least.
    """
    said_at = _said_at(alert)
    if alert.status == FIRING or said_at is None:
        return alert
    is_unsaid = instant(alert.endsAt) - said_at >= timedelta(milliseconds=unsaid_after_ms)
    return msgspec.structs.replace(alert, status=NO_WORD) if is_unsaid else alert


def is_said_since(alert: AlertTold) -> bool:
    """Whether who knows of it spoke of an alert after its end; a rule's last word is from before it."""
    said_at = _said_at(alert)
    return said_at is not None and said_at >= instant(alert.endsAt).replace(microsecond=0)


def of_one_identity(alerts: list[AlertTold]) -> list[AlertTold]:
    """The alerts, each of ours once, whichever way it came: by our own labels, and named by them.

    A Prometheus with `external_labels` adds them to what its rules say, and not to what was pushed: to Alertmanager
    these are two alerts. What still fires by either way has not ended.
    """
    found: dict[str, AlertTold] = {}
    for told in alerts:
        alert = _by_own_labels(told)
        known = found.get(alert.fingerprint)
        if known is None or _is_truer(alert, known):
            found[alert.fingerprint] = alert
    return list(found.values())


def about(alert: AlertTold) -> str:
    """What it is about, whoever is called: its incident; of an alert without one, all it is labelled with besides."""
    others = sorted(f"{name}={text}" for name, text in alert.labels.items() if name != TIER)
    return alert.labels.get(INCIDENT) or " ".join(others)


def without_earlier_calls(alerts: list[AlertTold]) -> list[AlertTold]:
    """The alerts, of those that differ by the call alone the last one: the duty list goes round."""
    last: dict[tuple[tuple[str, str], ...], AlertTold] = {}
    for alert in sorted(alerts, key=_call):
        last[(("", alert.status), *sorted(each for each in alert.labels.items() if each[0] != TIER))] = alert
    return [alert for alert in alerts if alert in last.values()]


def without_replaced(alerts: list[AlertTold]) -> list[AlertTold]:
    """The alerts without the ends of those that turned into another: what still fires has not ended."""
    still = {about(alert) for alert in alerts if alert.status == FIRING}
    return [alert for alert in alerts if alert.status == FIRING or about(alert) not in still]


def without_earlier(alerts: list[AlertTold]) -> list[AlertTold]:
    """Ended alerts without those that turned into another before their incident ended."""
    last: dict[str, AlertTold] = {}
    for alert in sorted(alerts, key=lambda alert: instant(alert.endsAt)):
        last[about(alert)] = alert
    return [alert for alert in alerts if alert in last.values()]


def clipped(text: str, bytes_max: int) -> str:
    """`text` in at most `bytes_max` bytes of UTF-8, no character cut in two, with an ellipsis where it was cut."""
    raw = text.encode()
    if len(raw) <= bytes_max:
        return text
    room = bytes_max - len(ELLIPSIS.encode())
    return raw[: max(0, room)].decode(errors="ignore") + ELLIPSIS if room >= 0 else ""


def _by_own_labels(alert: AlertTold) -> AlertTold:
    if INCIDENT not in alert.labels and alert.labels.get("site") != HUB:
        return alert
    labels = {name: text for name, text in alert.labels.items() if name in _OWN_LABELS}
    fingerprint = " ".join(f"{name}={text}" for name, text in sorted(labels.items()))
    return msgspec.structs.replace(alert, labels=labels, fingerprint=fingerprint)


def _is_truer(alert: AlertTold, known: AlertTold) -> bool:
    """Whether it is rather so than what came another way: it fires, or it is over and that was said, or later."""
    if alert.status != known.status:
        return _STATUSES.index(alert.status) < _STATUSES.index(known.status)
    return alert.status != FIRING and instant(alert.endsAt) > instant(known.endsAt)


def _said_at(alert: AlertTold) -> datetime | None:
    """When it was last said; None where that is not told."""
    text = alert.annotations.get(SAID_AT, "")
    is_instant = text.isascii() and text.isdecimal() and len(text) < _SECONDS_DIGITS
    return _EPOCH + timedelta(seconds=int(text)) if is_instant else None


def _what_to_do(alert: AlertTold, reader: Reader) -> list[str]:
    """The link to the runbook; its first steps where no link opens: there is none, or the hub that shows it is down.

    Of what is heard of no more: what to do about who should have told of it.
    """
    if alert.status == NO_WORD:
        return [*reader.steps.get(HUB_DOWN if INCIDENT in alert.labels else ALWAYS_FIRES, [])]
    runbook, what = alert.annotations.get(RUNBOOK, ""), alert.labels.get("what", "")
    if alert.status != FIRING or not runbook:
        return []
    is_link = runbook.startswith("http")
    steps = [] if is_link and what != HUB_DOWN else reader.steps.get(what, [])
    return [*steps, *([f"{reader.texts['notify_runbook']} {runbook}"] if is_link else [])]


def _key(alert: AlertTold) -> str:
    """What names it from its first message to its last, whoever is called. Another tool's is named by Alertmanager."""
    return about(alert) if INCIDENT in alert.labels or alert.labels.get("site") == HUB else alert.fingerprint


def _trouble(alert: AlertTold, reader: Reader) -> Trouble:
    severity = alert.labels.get("severity", "")
    return Trouble(_key(alert), _title(alert, reader), _line(alert, reader), severity, alert.status == RESOLVED)


def _title(alert: AlertTold, reader: Reader) -> str:
    word = {RESOLVED: "notify_resolved", NO_WORD: "notify_no_word"}.get(alert.status, "notify_firing")
    if alert.status == FIRING and _call(alert) != FIRST_CALL:
        word = "notify_next"
    if alert.status == RESOLVED and GOES_ON in alert.annotations:
        word = "notify_less_urgent" if _is_over(alert) else "notify_more_urgent"
    return f"[{reader.texts[word]}] {_named(alert, reader)}"


def _is_over(alert: AlertTold) -> bool:
    """Whether it ended, or goes on as something for which nobody need be awake; not what only grew graver."""
    severity = alert.annotations.get(GOES_ON, "").partition(" ")[0]
    louder = LOUDNESS[: _loudness(alert) + 1]
    return alert.status == RESOLVED and severity not in louder


def _call(alert: AlertTold) -> int:
    return call_number(alert.labels)


def call_number(labels: Mapping[str, str]) -> int:
    """Which call it is, from 1; that of another tool, or of an odd label, is the first."""
    text = labels.get(TIER, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _CALL_DIGITS else FIRST_CALL


def _loudness(alert: AlertTold) -> int:
    severity = alert.labels.get("severity", "")
    return LOUDNESS.index(severity) if severity in LOUDNESS else len(LOUDNESS)


def _named(alert: AlertTold, reader: Reader) -> str:
    """Site and finding, on one line whatever a name holds. Another tool's alert is shown by its own summary."""
    shown = "".join(character if character.isprintable() else " " for character in _named_as_told(alert, reader))
    return " ".join(shown.split())


def _named_as_told(alert: AlertTold, reader: Reader) -> str:
    what = alert.labels.get("what", "")
    if not what:
        texts = alert.annotations
        return texts.get(f"summary_{reader.language}") or texts.get("summary") or alert.labels.get("alertname", "")
    site = alert.labels.get("site", "")
    client = alert.labels.get("client", "")
    about = alert.labels.get("subject") or alert.annotations.get(SUBJECTS, "")
    if client and about == client:
        about = f"{about} {reader.client_names.get(client, '')}".strip()
    parts = [f"{site} {reader.site_names.get(site, '')}".strip(), what_word(reader.texts, what), about]
    details = {name.removeprefix(DETAIL_): text for name, text in alert.annotations.items() if name.startswith(DETAIL_)}
    parts += [details.get(name, "") for name in ("carrier", "offset")]
    parts += [how_much(reader.texts, details)] if alert.status == FIRING else []
    return " ".join(part for part in parts if part)


def _line(alert: AlertTold, reader: Reader) -> str:
    began = instant(alert.startsAt)
    if alert.status == FIRING:
        flags = [reader.texts[flag] for flag in FLAGS if flag in alert.annotations]
        when = ", ".join([reader.texts["notify_since"].format(at=_clock_time(began, reader.zone)), *flags])
    elif alert.status == NO_WORD:
        last = _clock_time(_said_at(alert) or instant(alert.endsAt), reader.zone)
        when = reader.texts["notify_unheard_since"].format(at=_clock_time(began, reader.zone), last=last)
    elif GOES_ON in alert.annotations:
        severity, _, what = alert.annotations[GOES_ON].partition(" ")
        told = [what_word(reader.texts, what)] if what not in {"", alert.labels.get("what")} else []
        told.append(reader.texts.get(f"severity_{severity}", severity))
        when = reader.texts["notify_goes_on"].format(at=_clock_time(began, reader.zone), as_what=", ".join(told))
    else:
        ended = instant(alert.endsAt)
        minutes = max(1, -((began - ended) // _MINUTE))
        when = reader.texts["notify_lasted"].format(
            at=_clock_time(began, reader.zone), end=_clock_time(ended, reader.zone), n=minutes
        )
    return f"{_named(alert, reader)} ({when})"


def instant(text: str) -> datetime:
    """An instant as Alertmanager writes it."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _clock_time(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%H:%M:%S")
