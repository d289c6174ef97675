"""The words of an alert, the same whichever way it comes: pushed with an incident, or by a rule's template."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from dashboards.alerting._core.kinds import WITHOUT_SUBJECT
from dashboards.alerting._core.pager import Alert
from dashboards.catalogue import CLIENT_NAMES, SITE_NAMES, exposed_name
from dashboards.wallboard._core.names import Names
from wire.incident import CHARGE, ELSEWHERE, LINES_LOST, MINUTES_LEFT, MINUTES_LEFT_ESTIMATE, SEATS_LOST, SEATS_OF

Words = Mapping[str, Mapping[str, str]]
"""Language -> key of the glossary -> text."""
Begins = Callable[[str], str]
"""Language -> how the text of an alert begins."""

# Layout: of a message on a telephone.
DETAILS_SHOWN: Final = 6
"""Of what an incident tells of itself; a message on a telephone has a few lines."""
RUNBOOK: Final = "runbook_url"
"""The annotation's name as most dashboards look for it; a path where no web address is configured."""
SAID_AT: Final = "said_at"
"""When it was last said to be so, in seconds since 1970: by it an end is told from a mere silence of who says it."""
GOES_ON: Final = "goes_on"
"""Of an alert that ended: severity and kind with which its incident goes on, told to others or later."""
SUBJECTS: Final = "subjects"
"""Which seats or accounts, where they are too many for labels: people are told, and no series is kept of them."""
FLAGS: Final = ("suspected", "planned")
"""Annotations that are words of the glossary: there where they hold."""
DETAIL_: Final = "detail_"
"""Begins the annotation of a detail of an incident."""
_LEFT: Final = {
    CHARGE: "notify_charge",
    MINUTES_LEFT: "notify_minutes_left",
    MINUTES_LEFT_ESTIMATE: "notify_minutes_left_estimate",
}
TEMPLATE_SAID_AT: Final = '{{ query "time()" | first | value | printf "%.0f" }}'
TEMPLATE_SUBJECT: Final = "{{ with $labels.subject }} {{ . }}{{ end }}"


def word_key(what: str) -> str:
    """The key of the word for a `what`."""
    return f"incident_{what}"


def what_word(words: Mapping[str, str], what: str) -> str:
    """The word for a `what`; itself where it comes from a newer version."""
    return words.get(word_key(what), what)


def how_much(words: Mapping[str, str], details: Mapping[str, str]) -> str:
    """What an incident's details tell: what a battery holds, how many seats, which lines. "" = nothing."""
    told = [words[key].format(n=details[name]) for name, key in _LEFT.items() if name in details]
    if SEATS_LOST in details and SEATS_OF in details:
        told.append(words["notify_seats_lost"].format(n=details[SEATS_LOST], of=details[SEATS_OF]))
    if LINES_LOST in details:
        told.append(words["notify_lines_lost"].format(lines=details[LINES_LOST]))
    if ELSEWHERE in details:
        told.append(words["notify_elsewhere"].format(line=details[ELSEWHERE]))
    return ", ".join(told)


def site_by_name(language: str) -> str:
    """How the text of a rule about a site begins: with what people call it, with its id where that is not known."""
    name = _first_name(f'printf "{exposed_name(SITE_NAMES)}{{site=%q}}" . | query', language, "{{ $id }}")
    return f"{{{{ with $labels.site }}}}{{{{ $id := . }}}}{name}: {{{{ end }}}}"


def client_by_name(client: str) -> Begins:
    """How the text of a rule about a client begins."""
    names = f'query `{exposed_name(CLIENT_NAMES)}{{client="{client}"}}`'
    return lambda language: f"{_first_name(names, language, client)}: "


def rule_annotations(words: Words, what: str, runbooks: str, *, begins: Begins = site_by_name) -> dict[str, str]:
    """Annotations of the rule for `what`, as Prometheus templates. runbooks: where they are."""
    told = {
        f"summary_{language}": f"{begins(language)}{what_word(texts, what)}{TEMPLATE_SUBJECT}"
        for language, texts in words.items()
    }
    return told | {RUNBOOK: runbook(runbooks, what)}


def alert_annotations(
    words: Words, alert: Alert, runbooks: str, details: Mapping[str, str] | None = None, *, names: Names
) -> dict[str, str]:
    """Annotations of a pushed alert: the rule's, filled in, and what the incident tells besides.

    details: as of now, where they are known; else those of its newest revision. names: what people call sites.
    """
    identity = alert.identity
    subject = f" {identity.subject}" if identity.subject else ""
    told = {}
    for language, texts in words.items():
        site = f"{names.told_in(language).site(identity.site)}: " if identity.site else ""
        told[f"summary_{language}"] = f"{site}{what_word(texts, identity.what)}{subject}"
    told[RUNBOOK] = runbook(runbooks, identity.what)
    newest = alert.incidents[-1]
    shown = list((newest.details if details is None else details).items())[:DETAILS_SHOWN]
    told |= {f"{DETAIL_}{name}": text for name, text in shown}
    told |= {
        name: "yes" for name, is_set in zip(FLAGS, (newest.is_suspected, newest.is_planned), strict=True) if is_set
    }
    if identity.what in WITHOUT_SUBJECT:
        told[SUBJECTS] = listed([said.subject for said in alert.incidents])
    return told | {"incident": newest.incident, "incidents": str(len(alert.incidents))}


def _first_name(names: str, language: str, unnamed: str) -> str:
    return f'{{{{ with {names} }}}}{{{{ . | first | label "name_{language}" }}}}{{{{ else }}}}{unnamed}{{{{ end }}}}'


def listed(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - DETAILS_SHOWN
    return ", ".join(names[:DETAILS_SHOWN]) + (f" +{more}" if more > 0 else "")


def runbook(runbooks: str, what: str) -> str:
    """Where the runbook of a `what` is."""
    return f"{runbooks.rstrip('/')}/{what}.md"
