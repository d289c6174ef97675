"""Rules made of contracts, as promtool works them out: what pages, what waits, and what stays silent."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from dashboards.alerting.burn import Promise, SpecialDay, burn_groups
from dashboards.alerting.yaml_text import yaml_text
from seatwatch.config import parse_config
from seatwatch.glossary import words
from seatwatch.on_call_config import AlertingSection
from seatwatch.server.on_call import LANGUAGES, annotation_words
from seatwatch.server.promises import burn_settings, promises_text
from seatwatch.settings import load_defaults
from tests.dashboards.alerting.promises import HOUR_MS, promise
from tests.servers import program

FAST, SLOW, UNKNOWN = "AttainmentBurnsFast", "AttainmentBurnsSlowly", "AttainmentUnknown"
UP = 'up{job="seatwatch",instance="a"}'
CONTRACT = """
name = "acme-2026"
client = "acme"
time_zone = "Asia/Shanghai"
effective_from = 2026-11-01
running_in_until = 2026-12-01
queues = ["*"]
definitions = ["contract-10s"]
settlement = "month"
attainment_target_bp = 9500
"""


def counter(name: str, values: str, queue: str = "chat") -> dict[str, str]:
    labels = f'client="acme",queue="{queue}",job="seatwatch",instance="a"'
    return {"series": f"seatwatch_{name}_total{{{labels}}}", "values": values}


def promtool(*arguments: str) -> None:
    command = [program("promtool"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def rules_of(*promised: Promise) -> str:
    groups = burn_groups(promised, annotation_words(), burn_settings(load_defaults(), AlertingSection()))
    return yaml_text({"groups": groups}, heading="rules")


def expect(directory: Path, promised: Promise, *cases: dict[str, object], every: str = "1m") -> None:
    """Have promtool work the rules out over series with a value a minute. every: how often it does."""
    (directory / "rules.yml").write_text(rules_of(promised), encoding="utf-8")
    tests = {"rule_files": ["rules.yml"], "evaluation_interval": every, "tests": list(cases)}
    (directory / "tests.yml").write_text(json.dumps(tests), encoding="utf-8")
    promtool("check", "rules", str(directory / "rules.yml"))
    promtool("test", "rules", str(directory / "tests.yml"))


def case(series: Sequence[dict[str, str]], *, at: str, **expected: Sequence[object]) -> dict[str, object]:
    return course(series, *((at, name, alerts) for name, alerts in expected.items()))


def course(series: Sequence[dict[str, str]], *expected: tuple[str, str, Sequence[object]]) -> dict[str, object]:
    """Several instants of one course, which promtool works out once. expected: when, which alert, what it gives."""
    return {
        "interval": "1m",
        "input_series": list(series),
        "alert_rule_test": [
            {"eval_time": at, "alertname": name, "exp_alerts": alerts} for at, name, alerts in expected
        ],
    }


def alert(
    what: str, severity: str, missed: str | None, contract: str = "chat", called: Mapping[str, str] | None = None
) -> dict[str, object]:
    client = called or dict.fromkeys(LANGUAGES, "acme")
    texts = {name: f"{client[name]}: {words()[f'incident_{what}'].text(name)}" for name in LANGUAGES}
    annotations = {f"summary_{name}": text for name, text in texts.items()}
    annotations["runbook_url"] = f"/runbooks/{what}.md"
    return {
        "exp_labels": {
            "client": "acme",
            "sloth_id": f"acme-{contract}",
            "sloth_service": "acme",
            "sloth_slo": contract,
            "subject": "acme",
            "what": what,
            "severity": severity,
            "layer": "other",
            "tier": "1",
        },
        "exp_annotations": annotations | ({} if missed is None else {"detail_missed": missed}),
    }


def test_a_queue_that_answers_nobody_pages_though_its_contract_allows_a_fifth_to_be_missed(tmp_path: Path) -> None:
    """Uncapped, 9.6 times a fifth is more than everything, and nothing would ever be said."""
    fires = alert("attainment_burns_fast", "page", "100%")
    series = [counter("judged", "0+2x90"), counter("met", "0x90")]
    expect(tmp_path, promise(), case(series, at="80m", **{FAST: [fires], UNKNOWN: []}))


def test_people_read_what_the_client_is_called(tmp_path: Path) -> None:
    called = {"zh": "极光家电", "en": "Aurora"}
    fires = alert("attainment_burns_fast", "page", "100%", called=called)
    series = [counter("judged", "0+2x90"), counter("met", "0x90")]
    names = {"series": 'seatwatch_client_info{client="acme",name_zh="极光家电",name_en="Aurora"}', "values": "1x90"}
    expect(tmp_path, promise(), case([*series, names], at="80m", **{FAST: [fires]}))


def test_what_the_contract_allows_pages_nobody(tmp_path: Path) -> None:
    series = [counter("judged", "0+10x90"), counter("met", "0+8x90")]
    expect(tmp_path, promise(), case(series, at="80m", **{FAST: [], SLOW: [], UNKNOWN: []}))


def test_an_hour_of_a_sixteen_hour_day_weighs_more_than_one_of_twenty_four(tmp_path: Path) -> None:
    """Of 1 % allowed, 12 % missed: 2 % of 480 open hours is 9.6 hours' worth, of 720 hours 14.4."""
    series = [counter("judged", "0+25x90"), counter("met", "0+22x90")]
    fires = alert("attainment_burns_fast", "page", "12%")
    expect(tmp_path, promise(target_bp=9_900), case(series, at="50m", **{FAST: [fires]}))
    bounds = rules_of(promise(target_bp=9_900, open_ms=promise().open_ms * 24 // 16))
    assert 'ratio_rate1h{sloth_service=\\"acme\\",sloth_slo=\\"chat\\"}) > 0.144)' in bounds


def test_a_few_conversations_at_night_page_nobody_however_many_of_them_are_missed(tmp_path: Path) -> None:
    series = [counter("judged", "0x30 0+1x10 10x50"), counter("met", "0x90")]
    expect(tmp_path, promise(), case(series, at="45m", **{FAST: [], SLOW: []}))


def test_misses_that_have_stopped_page_no_longer(tmp_path: Path) -> None:
    """The short window is clean again, whatever the hour before it was."""
    series = [counter("judged", "0+10x100"), counter("met", "0x60 0+10x40")]
    fires = alert("attainment_burns_fast", "page", "100%")
    expect(tmp_path, promise(), course(series, ("58m", FAST, [fires]), ("99m", FAST, [])))


def test_a_slow_loss_is_a_ticket_and_no_page(tmp_path: Path) -> None:
    """Of 5 % allowed a fifth is missed for a day: over three times, under four."""
    series = [counter("judged", "0+40x1500"), counter("met", "0+33x1500")]
    ticket = alert("attainment_burns_slowly", "ticket", "17.5%")
    day = case(series, at="24h", **{FAST: [], SLOW: [ticket]})
    expect(tmp_path, promise(target_bp=9_500), day, every="10m")  # once a minute, a day takes ten seconds


def test_no_figures_from_a_server_that_answers_are_said_to_be_missing(tmp_path: Path) -> None:
    answers, silent = {"series": UP, "values": "1x60"}, {"series": UP, "values": "0x60"}
    unknown = alert("attainment_unknown", "ticket", None)
    expect(
        tmp_path,
        promise(),
        case([answers], at="30m", **{UNKNOWN: [unknown]}),
        case([silent], at="30m", **{UNKNOWN: []}),
        case([answers, counter("judged", "0x60")], at="30m", **{UNKNOWN: []}),
    )


def test_nothing_is_promised_before_the_contract_begins_or_after_it_ends(tmp_path: Path) -> None:
    series = [counter("judged", "0+10x150"), counter("met", "0x150"), {"series": UP, "values": "1x150"}]
    bounded = promise(begins_at=HOUR_MS, ends_at=2 * HOUR_MS)
    fires = alert("attainment_burns_fast", "page", "100%")
    expect(tmp_path, bounded, course(series, ("50m", FAST, []), ("90m", FAST, [fires]), ("130m", FAST, [])))


def test_a_promotion_day_alerts_by_its_own_target_and_one_without_a_target_not_at_all(tmp_path: Path) -> None:
    """Of every three conversations one is missed: far over 5 %, and within what 60 % allows."""
    series = [counter("judged", "0+30x240"), counter("met", "0+20x240")]
    none = SpecialDay(begins_at=0, ends_at=HOUR_MS, target_bp=None)
    easier = SpecialDay(begins_at=HOUR_MS, ends_at=2 * HOUR_MS, target_bp=6_000)
    stricter = SpecialDay(begins_at=2 * HOUR_MS, ends_at=3 * HOUR_MS, target_bp=9_500)
    fires = alert("attainment_burns_fast", "page", "33.33%")
    told = promise(target_bp=9_500, special=(none, easier))
    untold = promise(special=(stricter,))
    expect(tmp_path, told, course(series, ("50m", FAST, []), ("110m", FAST, []), ("130m", FAST, [fires])))
    expect(tmp_path, untold, course(series, ("110m", FAST, []), ("150m", FAST, [fires]), ("190m", FAST, [])))


def test_a_promotion_night_lasts_as_long_as_its_window_does(tmp_path: Path) -> None:
    definition = 'based_on = "contract-10s"\nname = "night"\nversion = 1\ntime_zone = "America/New_York"\n'
    definition += 'effective_from = 2026-01-01\nservice_windows = ["18:00-02:00"]\n'
    (tmp_path / "night.toml").write_text(definition, encoding="utf-8")
    targets = 'special_targets = { 2026-10-31 = "none", 2026-11-27 = 8000 }\n'
    contract = CONTRACT.replace("contract-10s", "night").replace("Asia/Shanghai", "America/New_York") + targets
    (tmp_path / "acme.contract.toml").write_text(contract, encoding="utf-8")
    (tmp_path / "acme.token").write_text("a" * 43, encoding="utf-8")
    text = '[[client]]\nid = "acme"\nname = "Acme"\ndefinition = "night.toml"\ncontract = "acme.contract.toml"\n'
    rules = promises_text(parse_config(text, base=tmp_path), tmp_path, load_defaults())

    def instant(day: int, hour: int, utc: int, month: int = 11) -> int:
        return int(datetime(2026, month, day, hour, tzinfo=timezone(timedelta(hours=utc))).timestamp())

    assert f"(vector(time()) >= {instant(27, 2, -5)} < {instant(28, 2, -5)})" in rules, "from 02:00 to 02:00"
    assert f"(vector(time()) >= {instant(31, 2, -4, 10)} < {instant(1, 2, -5)})" in rules, (
        "clocks go back at 02:00: it is open twice from 01:00, and closes when they show 02:00 again"
    )


def test_only_the_queues_of_the_contract_count(tmp_path: Path) -> None:
    series = [
        *(counter("judged", "0+10x90", queue) for queue in ("pre.sale", "preXsale")),
        counter("met", "0+10x90", "pre.sale"),
        counter("met", "0x90", "preXsale"),
    ]
    expect(tmp_path, promise(queues=("pre.sale",)), case(series, at="80m", **{FAST: []}))


def test_recordings_are_named_as_sloth_names_them_and_what_is_left_of_a_month_is_among_them(tmp_path: Path) -> None:
    labels = 'client="acme",sloth_id="acme-chat",sloth_service="acme",sloth_slo="chat"'
    expect(
        tmp_path,
        promise(target_bp=9_000),
        {
            "interval": "1m",
            "input_series": [counter("judged", "0+10x90"), counter("met", "0+8x90")],
            "promql_expr_test": [
                {
                    "expr": name,
                    "eval_time": "80m",
                    "exp_samples": [{"labels": f"{name}{{{labels}}}", "value": value}],
                }
                for name, value in (
                    ("slo:objective:ratio", 0.9),
                    ("slo:error_budget:ratio", 0.1),
                    ("slo:time_period:days", 30),
                    ("slo:current_burn_rate:ratio", 1.9999999999999996),
                    ("slo:period_error_budget_remaining:ratio", -0.9999999999999996),
                )
            ],
        },
    )


def test_the_rules_of_a_configuration_are_those_of_its_contracts_with_a_target(tmp_path: Path) -> None:
    """Sixteen hours a day, none before the running-in month is over."""
    (tmp_path / "acme.contract.toml").write_text(CONTRACT, encoding="utf-8")
    text = '[[client]]\nid = "acme"\nname = "Acme"\ndefinition = "contract-10s"\ncontract = "acme.contract.toml"\n'
    text += '[[client]]\nid = "bolt"\nname = "Bolt"\ndefinition = "contract-10s"\n'
    for client in ("acme", "bolt"):
        (tmp_path / f"{client}.token").write_text("a" * 43, encoding="utf-8")
    rules = promises_text(parse_config(text, base=tmp_path), tmp_path, load_defaults())
    assert "bolt" not in rules
    assert "vector(time()) >= 1796054400" in rules, "2026-12-01 in Shanghai"
    assert 'ratio_rate1h{sloth_service=\\"acme\\",sloth_slo=\\"acme-2026\\"}) > 0.48)' in rules, (
        "2 % of 480 open hours of 5 %"
    )
    (tmp_path / "rules.yml").write_text(rules, encoding="utf-8")
    promtool("check", "rules", str(tmp_path / "rules.yml"))


def test_a_day_of_a_service_that_rests_at_weekends_is_one_on_which_it_is_open(tmp_path: Path) -> None:
    """22 days of nine hours in December: 10 % of 198 hours within a day of nine, not within a thirtieth of them."""
    definition = 'based_on = "contract-10s"\nname = "office"\nversion = 1\neffective_from = 2026-01-01\n'
    definition += 'service_windows = ["09:00-18:00"]\nweekday_windows = { saturday = [], sunday = [] }\n'
    (tmp_path / "office.toml").write_text(definition, encoding="utf-8")
    (tmp_path / "acme.contract.toml").write_text(CONTRACT.replace("contract-10s", "office"), encoding="utf-8")
    (tmp_path / "acme.token").write_text("a" * 43, encoding="utf-8")
    text = '[[client]]\nid = "acme"\nname = "Acme"\ndefinition = "office.toml"\ncontract = "acme.contract.toml"\n'
    rules = promises_text(parse_config(text, base=tmp_path), tmp_path, load_defaults())
    bounds = dict(re.findall(r"ratio_rate(1h|6h|1d|3d)\{[^}]*\}\) > ([\d.]+)\) and \(max", rules))
    open_days = 22
    hours, allowed = 9 * open_days, 0.05
    assert bounds == {
        "1h": f"{0.02 * hours * allowed:.3f}",
        "6h": f"{0.05 * hours / 6 * allowed:.4f}",
        "1d": f"{0.1 * hours / 9 * allowed:.2f}",
        "3d": f"{allowed:.2f}",
    }, "three working days are over 10 % of the month as it is, and what it allows alerts nobody"


@pytest.mark.parametrize("target_bp", [1, 9_999, 10_000])
def test_no_alert_waits_for_more_misses_than_there_can_be(target_bp: int, tmp_path: Path) -> None:
    series = [counter("judged", "0+20x90"), counter("met", "0x90")]
    fires = alert("attainment_burns_fast", "page", "100%")
    expect(tmp_path, promise(target_bp=target_bp), case(series, at="80m", **{FAST: [fires]}))


def test_hyphens_in_the_ids_of_clients_and_contracts_mix_up_no_two_promises(tmp_path: Path) -> None:
    """Both are called acme-shop-2026 by Sloth: Prometheus had refused the whole file."""
    ours, theirs = promise(client="acme", contract="shop-2026"), promise(client="acme-shop", contract="2026")
    (tmp_path / "rules.yml").write_text(rules_of(ours, theirs), encoding="utf-8")
    promtool("check", "rules", str(tmp_path / "rules.yml"))
    for one, other in ((ours, theirs), (theirs, ours)):
        own, foreign = (f'ratio_rate1h{{sloth_service=\\"{of.client}\\"' for of in (one, other))
        assert own in rules_of(one)
        assert foreign not in rules_of(one), "each by its own share missed"
