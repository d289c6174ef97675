"""Contracts and definitions in plain words, with every parameter below."""

from collections.abc import Callable, Iterable, Iterator

from dashboards.portal.record import RulesPage, Section
from seatwatch.numbers import percent
from seatwatch.printed.teller import Teller
from sla_engine._core.contract import BASIS_POINTS, EVERY_QUEUE, Contract, SpecialTarget
from sla_engine._core.definition import (
    MINUTES_PER_DAY,
    Definition,
    ServiceWindow,
    canonical,
    definition_hash,
    time_of_day,
)
from sla_engine.definition_text import definition_text
from wire.spelling import isolated


def rules_page(
    definitions: list[Definition], contracts: list[Contract], now: int, teller: Callable[[str], Teller], zone: str
) -> RulesPage:
    """What holds at `now` (ms), what will hold, and the definitions they name; the newest first. teller: of a zone."""
    tell = teller(zone)
    held = [each for each in reversed(contracts) if each.effective_until is None or each.effective_until > now]
    names = {name for contract in held for name in contract.definitions}
    shown = [each for each in reversed(definitions) if each.name in names]
    return RulesPage(
        tuple(_contract(each, now, tell) for each in held),
        tuple(_definition(each, teller(each.time_zone)) for each in shown),
    )


def _contract(contract: Contract, now: int, tell: Teller) -> Section:
    until = tell.word("portal_open_ended") if contract.effective_until is None else tell.at(contract.effective_until)
    queues = (
        tell.word("portal_every_queue")
        if EVERY_QUEUE in contract.queues
        else ", ".join(map(tell.queue, contract.queues))
    )
    target = contract.attainment_target_bp
    lines = [
        tell.filled("portal_contract_runs", since=tell.at(contract.effective_from), until=until),
        tell.filled("portal_contract_queues", queues=queues),
        tell.filled("portal_contract_counts", definitions=", ".join(contract.definitions)),
        tell.word("portal_no_target") if target is None else tell.filled("portal_target", percent=_percent(target)),
        *(_special_target(each, tell) for each in contract.special_targets),
        tell.filled(
            "portal_settled", period=tell.word(contract.settlement), at=time_of_day(contract.period_starts_minute)
        ),
    ]
    if contract.running_in_until is not None:
        lines.append(tell.filled("portal_running_in", until=tell.at(contract.running_in_until)))
    state = tell.word("portal_in_force" if contract.in_force(now) else "portal_not_yet")
    return Section(
        f"{tell.word('portal_contract')} {isolated(contract.title) or contract.name}  ({state})", tuple(lines)
    )


def _special_target(special: SpecialTarget, tell: Teller) -> str:
    if special.attainment_target_bp is None:
        return tell.filled("portal_no_target_on", date=special.date)
    return tell.filled("portal_target_on", date=special.date, percent=_percent(special.attainment_target_bp))


def _percent(target_bp: int) -> str:
    return percent(target_bp * 10_000 // BASIS_POINTS)


def _windows(windows: Iterable[ServiceWindow], tell: Teller) -> str:
    spans = [
        f"{time_of_day(each.opens_minute)}-{time_of_day(each.closes_minute % MINUTES_PER_DAY or MINUTES_PER_DAY)}"
        for each in windows
    ]
    return ", ".join(spans) or tell.word("portal_rule_closed")


def _other_days(definition: Definition, tell: Teller) -> Iterator[str]:
    """Days of the week and dates that are not served, or judged, as any day is."""
    days = [
        *((tell.word(f"portal_weekday_{each.weekday}"), each.windows) for each in definition.weekday_windows),
        *((tell.filled("portal_rule_yearly", day=each.month_day), each.windows) for each in definition.yearly_days),
    ]
    for day, windows in days:
        yield tell.filled("portal_rule_day", day=day, windows=_windows(windows, tell))
    for special in definition.special_days:
        said = tell.filled("portal_rule_day", day=special.date, windows=_windows(special.windows, tell))
        limit_ms = special.first_response_limit_ms
        limit = "" if limit_ms is None else tell.filled("portal_rule_day_limit", limit=tell.lasting(limit_ms))
        yield said + limit


def _definition(definition: Definition, tell: Teller) -> Section:
    windows = _windows(definition.service_windows, tell)
    lasting = tell.lasting
    authors = ", ".join(tell.word(author) for author in definition.valid_reply)
    lines = (
        tell.filled("portal_rule_from", since=tell.at(definition.effective_from), source=definition.source),
        tell.filled(
            "portal_rule_window",
            windows=windows,
            zone=definition.time_zone,
            day=time_of_day(definition.business_day_starts_minute),
        ),
        tell.filled(
            "portal_rule_first",
            limit=lasting(definition.first_response_limit_ms),
            warning=lasting(definition.warning_after_ms),
        ),
        *_other_days(definition, tell),
        tell.filled(
            "portal_rule_average",
            good=lasting(definition.average_good_ms),
            limit=lasting(definition.average_limit_ms),
        ),
        tell.filled("portal_rule_replies", authors=authors),
        tell.filled("portal_rule_short", limit=lasting(definition.short_abandon_ms)),
        tell.filled(
            "portal_rule_level",
            formula=tell.word(definition.service_level_formula),
            threshold=lasting(definition.service_level_threshold_ms),
        ),
        f"SHA-256 {definition_hash(canonical(definition))}",
    )
    rows = tuple(_parameter(line) for line in definition_text(definition).splitlines() if line.strip())
    title = f"{tell.word('definition_word')} {tell.title(definition)}  {definition.name}@{definition.version}"
    return Section(title, lines, rows)


def _parameter(line: str) -> tuple[str, ...]:
    """(key, value, edge case) of a line of a definition's file."""
    stated, _, case = line.partition("  # ")
    key, _, value = stated.partition(" = ")
    return key.strip(), value.strip(), case.strip()
