"""Rules for Prometheus about what contracts promise: recordings named as Sloth names them, and alerts on their budgets.

An estimate for eyes and pagers, from what was scraped. What is settled comes from the ledger.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from dashboards.alerting._core.kinds import Layer, alert_name
from dashboards.alerting._core.wording import Words, client_by_name, rule_annotations
from dashboards.alerting.rules import seconds
from dashboards.alerting.yaml_text import Yaml
from dashboards.catalogue import JUDGED_TOTAL, MET_TOTAL, exposed_name
from wire.incident import Severity

BASIS_POINTS: Final = 10_000
MS_PER_S: Final = 1000
MS_PER_HOUR: Final = 3_600_000
PERIOD: Final = "30d"
# Format: what PERIOD says; places of a ratio in a rule.
DAYS_IN_PERIOD: Final = 30
WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
EVERY_QUEUE: Final = "*"
# Format: places of a ratio in a rule.
DIGITS: Final = 6
_MET: Final = exposed_name(MET_TOTAL)
_JUDGED: Final = exposed_name(JUDGED_TOTAL)


class SpecialDay(msgspec.Struct, frozen=True, kw_only=True):
    """From when until when (ms) another attainment is promised, in basis points; None = none."""

    begins_at: int
    ends_at: int
    target_bp: int | None


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What one contract promises. queues: ids, or "*". target_bp: attainment in basis points.

    begins_at, ends_at: from and until when there is a target (ms), None = open-ended. open_ms: how long its service
    window is open in 30 days from begins_at, and open_days on how many of them.
    special: promotion days, which alert by their own target.
    """

    client: str
    contract: str
    queues: tuple[str, ...]
    target_bp: int
    begins_at: int
    ends_at: int | None
    open_ms: int
    open_days: int = DAYS_IN_PERIOD
    special: tuple[SpecialDay, ...] = ()


class BurnSettings(msgspec.Struct, frozen=True, kw_only=True):
    """From `[paging]`. runbooks: where they are. conversations: judged ones below which nothing alerts.

    *_spent: which share of the misses a month allows alerts when it is gone within an hour, six hours, days. cap: the
    share missed that alerts whatever a contract allows.
    """

    scrape_job: str
    runbooks: str
    evaluation_interval_s: float
    fast_spent: float
    steady_spent: float
    slow_spent: float
    cap: float
    conversations: int
    absent_after_s: float


class _Pair(msgspec.Struct, frozen=True):
    """Both windows must be over the threshold: the long one shows that it matters, the short that it still goes on."""

    short: str
    long: str
    spent: float
    open_hours: float


def burn_groups(promises: Iterable[Promise], words: Words, settings: BurnSettings) -> list[Yaml]:
    """Groups of rules, one a contract. Of two promises the order of the record is kept."""
    return [_group(promise, words, settings) for promise in promises]


def _group(promise: Promise, words: Words, settings: BurnSettings) -> Yaml:
    labels = _labels(promise)
    chosen = _chosen(labels)
    rules = [
        _record(f"slo:sli_error:ratio_rate{window}", _missed(promise, window), labels, window) for window in WINDOWS
    ]
    rules.append(_record(f"slo:sli_error:ratio_rate{PERIOD}", _missed(promise, PERIOD), labels, PERIOD))
    target = promise.target_bp / BASIS_POINTS
    rules += [
        _record("slo:objective:ratio", f"vector({target}){_while_promised(promise)}", labels),
        _record("slo:error_budget:ratio", f"vector({_allowed(promise)})", labels),
        _record("slo:time_period:days", f"vector({DAYS_IN_PERIOD})", labels),
        _record("sloth_slo_info", "vector(1)", labels),
    ]
    if _allowed(promise):
        current, period = (
            f"slo:sli_error:ratio_rate{window}{chosen} / {_allowed(promise)}" for window in ("5m", PERIOD)
        )
        rules += [
            _record("slo:current_burn_rate:ratio", f"sum without (sloth_window) ({current})", labels),
            _record("slo:period_burn_rate:ratio", f"sum without (sloth_window) ({period})", labels),
            _record("slo:period_error_budget_remaining:ratio", f"1 - slo:period_burn_rate:ratio{chosen}", labels),
        ]
    rules += _alerts(promise, words, settings)
    return {
        # one name a contract, whatever hyphens are in its parts: Prometheus takes no file in which a name is repeated
        "name": f"seatwatch-promise {promise.client} {promise.contract}",
        "interval": seconds(settings.evaluation_interval_s),
        "rules": rules,
    }


def _alerts(promise: Promise, words: Words, settings: BurnSettings) -> list[Yaml]:
    open_hours = promise.open_ms / MS_PER_HOUR
    daily = open_hours / promise.open_days  # of a day on which it is open at all
    # Format: hours of the windows' own names.
    fast = [_Pair("5m", "1h", settings.fast_spent, 1), _Pair("30m", "6h", settings.steady_spent, min(6, daily))]
    slow = [_Pair("2h", "1d", settings.slow_spent, daily), _Pair("6h", "3d", settings.slow_spent, 3 * daily)]
    unknown = f'absent({_series(_JUDGED, promise)}) and on () (max(up{{job="{settings.scrape_job}"}}) == 1)'
    unknown = f"({unknown}){_while_promised(promise)}"

    def alert(what: str, expression: str, severity: Severity, for_s: float) -> Yaml:
        told = rule_annotations(words, what, settings.runbooks, begins=client_by_name(promise.client))
        return _alert(promise, told, what, expression, severity, for_s)

    return [
        alert("attainment_burns_fast", _burning(promise, fast, open_hours, settings), Severity.PAGE, 0),
        alert("attainment_burns_slowly", _burning(promise, slow, open_hours, settings), Severity.TICKET, 0),
        alert("attainment_unknown", unknown, Severity.TICKET, settings.absent_after_s),
    ]


def _burning(promise: Promise, pairs: Sequence[_Pair], open_hours: float, settings: BurnSettings) -> str:
    found = _over(promise, pairs, open_hours, settings)
    for day in promise.special:
        within = f"(vector(time()) >= {day.begins_at // MS_PER_S} < {day.ends_at // MS_PER_S})"
        found = f"({found} unless on () {within})"
        if day.target_bp is not None:
            special = msgspec.structs.replace(promise, target_bp=day.target_bp)
            found = f"({found} or ({_over(special, pairs, open_hours, settings)} and on () {within}))"
    return f"{found}{_while_promised(promise)}"


def _over(promise: Promise, pairs: Sequence[_Pair], open_hours: float, settings: BurnSettings) -> str:
    """Both windows of one pair are over what its target allows."""
    chosen = _chosen(_labels(promise))
    found = []
    for pair in pairs:
        # a budget of open hours: what is spent in an hour of a 16-hour day weighs more than in one of 24
        # never less than the month itself allows, of which three working days may be a greater share than is meant
        factor = max(1, pair.spent * open_hours / pair.open_hours)
        # no share missed is over 1, so an uncapped factor would never fire for a target such as 80 %
        bound = round(min(factor * _allowed(promise), settings.cap), DIGITS)
        both = " and ".join(
            f"(max without (sloth_window) (slo:sli_error:ratio_rate{window}{chosen}) > {bound})"
            for window in (pair.long, pair.short)
        )
        judged = f"sum({_increase(_JUDGED, promise, pair.long)})"
        found.append(f"({both} and on () ({judged} >= {settings.conversations}))")
    return f"({' or '.join(found)})"


def _alert(
    promise: Promise, told: dict[str, str], what: str, expression: str, severity: Severity, for_s: float
) -> Yaml:
    labels: dict[str, Yaml] = {
        **_labels(promise),
        "subject": promise.client,
        "what": what,
        "severity": severity.value,
        "layer": Layer.OTHER.value,
        "tier": "1",
    }
    annotations: dict[str, Yaml] = {**told}
    if for_s == 0:
        annotations["detail_missed"] = "{{ $value | humanizePercentage }}"
    return {
        "alert": alert_name(what),
        "expr": expression,
        "for": seconds(for_s),
        "labels": labels,
        "annotations": annotations,
    }


def _record(name: str, expression: str, labels: dict[str, str], window: str = "") -> Yaml:
    return {"record": name, "expr": expression, "labels": {**labels, **({"sloth_window": window} if window else {})}}


def _missed(promise: Promise, window: str) -> str:
    """The share missed of those judged; nothing where none was."""
    met, judged = (f"sum({_increase(name, promise, window)})" for name in (_MET, _JUDGED))
    return f"clamp_min(1 - {met} / ({judged} > 0), 0)"


def _increase(name: str, promise: Promise, window: str) -> str:
    return f"increase({_series(name, promise)}[{window}])"


def _series(name: str, promise: Promise) -> str:
    queues = "" if EVERY_QUEUE in promise.queues else f',queue=~"{"|".join(map(_literally, promise.queues))}"'
    return f'{name}{{client="{promise.client}"{queues}}}'


def _literally(name: str) -> str:
    """A name as a regular expression in quotes; names have no other sign that means something in one."""
    return name.replace(".", r"\\.")


def _labels(promise: Promise) -> dict[str, str]:
    return {
        "client": promise.client,
        "sloth_id": f"{promise.client}-{promise.contract}",
        "sloth_service": promise.client,
        "sloth_slo": promise.contract,
    }


def _chosen(labels: dict[str, str]) -> str:
    return f'{{sloth_service="{labels["sloth_service"]}",sloth_slo="{labels["sloth_slo"]}"}}'


def _allowed(promise: Promise) -> float:
    """The share that may be missed."""
    return (BASIS_POINTS - promise.target_bp) / BASIS_POINTS


def _while_promised(promise: Promise) -> str:
    begins = f" and on () (vector(time()) >= {promise.begins_at // MS_PER_S})"
    ends = "" if promise.ends_at is None else f" and on () (vector(time()) < {promise.ends_at // MS_PER_S})"
    return begins + ends
