"""The rules and the configuration as the tools that will read them understand them: promtool and amtool of Debian."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from dashboards.alerting._core.kinds import EXPLAINS, LAYER_OF, WORSE_THAN, Layer, alert_name, explains
from dashboards.alerting._core.pager import Holds
from seatwatch.config import Config, parse_config
from seatwatch.glossary import words
from seatwatch.server.on_call import LANGUAGES, alertmanager_text, on_call, rules_text
from seatwatch.settings import load_defaults
from sla_engine._core.incidents.slots import SEVERITIES
from tests.servers import program

DUTY = """
[alerting]
alertmanager_urls = ["http://127.0.0.1:9093"]
deadman_url = "http://127.0.0.1:8788/watchdog"
[[duty]]
name = "first"
channels = ["floor"]
[[duty]]
name = "second"
channels = ["floor"]
[[channel]]
id = "floor"
kind = "command"
command = ["/bin/true"]
"""
PAGING = (
    'seatwatch_incident_paging{job="seatwatch",instance="a",incident="i1",site="site1",subject="rack1",'
    'what="mains_lost",severity="page",layer="power",tier="1"}'
)
LABELS = {
    "incident": "i1",
    "site": "site1",
    "subject": "rack1",
    "what": "mains_lost",
    "severity": "page",
    "layer": "power",
    "tier": "1",
}


def configured(tmp_path: Path) -> Config:
    return parse_config(DUTY, base=tmp_path)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [program(arguments[0]), *arguments[1:]]
    return subprocess.run(command, capture_output=True, text=True, check=False)


NAMES = 'seatwatch_site_info{site="site1",name_zh="苏\\"州",name_en="Su\\"zhou",instance="a"}'


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    file = tmp_path / "alertmanager.yml"
    text = alertmanager_text(configured(tmp_path), load_defaults(), tmp_path / "notify.token")
    file.write_text(text, encoding="utf-8")
    return file


def test_every_kind_of_incident_has_its_words_its_hold_and_its_rule(tmp_path: Path) -> None:
    text = rules_text(configured(tmp_path), load_defaults())
    for what in LAYER_OF:
        assert words()[f"incident_{what}"].meaning
        assert f'alert: "{alert_name(what)}"' in text
    assert {f"{what}_ms" for what in LAYER_OF} == set(Holds.__struct_fields__)


def test_the_pager_knows_every_kind_the_hub_can_say_and_no_other() -> None:
    assert set(SEVERITIES) == set(LAYER_OF)


def test_causes_are_ruled_before_what_they_explain(tmp_path: Path) -> None:
    text = rules_text(configured(tmp_path), load_defaults())
    order = {what: text.index(f'alert: "{alert_name(what)}"') for what in LAYER_OF}
    wrong = [(c, s) for c in LAYER_OF for s in LAYER_OF if explains(c, s) and order[c] > order[s]]
    assert wrong == []


def test_promtool_accepts_the_rules_and_they_give_the_labels_of_a_push(tmp_path: Path) -> None:
    """Firing while the hub says so; also while it is away, if it said so last; not once it said that it ended."""
    (tmp_path / "rules.yml").write_text(rules_text(configured(tmp_path), load_defaults()), encoding="utf-8")
    annotations = {f"summary_{tag}": f"site1: {words()['incident_mains_lost'].text(tag)} rack1" for tag in LANGUAGES}
    annotations["runbook_url"] = "/runbooks/mains_lost.md"
    alert = {"exp_labels": LABELS, "exp_annotations": annotations}
    annotations["said_at"] = "30"
    held = {"exp_labels": LABELS, "exp_annotations": annotations | {"said_at": "60"}}
    by_name = {**annotations, "summary_zh": '苏"州: 职场市电中断 rack1', "summary_en": 'Su"zhou: Site mains lost rack1'}
    named = {"exp_labels": LABELS, "exp_annotations": by_name}

    def case(paging: str, up: str, at: str, expected: Sequence[object], names: str = "") -> dict[str, object]:
        return {
            "interval": "5s",
            "input_series": [
                {"series": PAGING, "values": paging},
                {"series": 'up{job="seatwatch",instance="a"}', "values": up},
                {"series": NAMES, "values": names or "stale"},
            ],
            "alert_rule_test": [{"eval_time": at, "alertname": "MainsLost", "exp_alerts": expected}],
        }

    tests = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "5s",
        "tests": [
            case("1x20", "1x20", "30s", [alert]),
            case("1x20", "1x20", "30s", [named], names="1x20"),
            case("1x5 0x20", "1x25", "60s", []),
            case("1x5 stale", "1x5 0x60", "60s", [held]),
            case("1x5 0x3 stale", "1x8 0x60", "60s", []),
            case("1x5 stale", "1x90", "60s", []),
            case("1x5 stale", "1x5 0x100", "400s", []),
        ],
    }
    (tmp_path / "tests.yml").write_text(json.dumps(tests), encoding="utf-8")
    checked = run("promtool", "check", "rules", str(tmp_path / "rules.yml"))
    assert checked.returncode == 0, checked.stderr
    tested = run("promtool", "test", "rules", str(tmp_path / "tests.yml"))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_a_hub_that_is_gone_and_one_that_was_never_scraped_are_called_about_and_the_watchdog_always_fires(
    tmp_path: Path,
) -> None:
    (tmp_path / "rules.yml").write_text(rules_text(configured(tmp_path), load_defaults()), encoding="utf-8")
    own = {"site": "hub", "what": "hub_down", "severity": "call", "layer": "monitoring", "tier": "1"}
    said = {"summary_zh": "hub: 监控中心停止", "summary_en": "hub: Hub down"}
    said["runbook_url"] = "/runbooks/hub_down.md"
    always = {"site": "hub", "what": "watchdog", "severity": "none", "layer": "other"}
    alive = {"summary_zh": "hub: 告警链路自检", "summary_en": "hub: Alert chain alive"}
    alive["runbook_url"] = "/runbooks/watchdog.md"

    def fires(tiers: str, at: str) -> list[dict[str, object]]:
        spoken = said | {"said_at": at.removesuffix("s")}
        return [{"exp_labels": own | {"tier": tier}, "exp_annotations": spoken} for tier in tiers]

    tests = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "5s",
        "tests": [
            {
                "interval": "5s",
                "input_series": [{"series": 'up{job="seatwatch",instance="a"}', "values": values}],
                "alert_rule_test": [
                    *(
                        {"eval_time": at, "alertname": "HubDown", "exp_alerts": fires(tiers, at)}
                        for at, tiers in expected.items()
                    ),
                    {
                        "eval_time": "60s",
                        "alertname": "Watchdog",
                        "exp_alerts": [{"exp_labels": always, "exp_annotations": alive}],
                    },
                ],
            }
            for values, expected in (
                ("1x20", {"60s": ""}),
                ("stale", {"60s": "1"}),
                ("1x5 0x140 1x5", {"60s": "1", "340s": "1", "350s": "12", "690s": "23", "750s": ""}),
            )
        ],
    }
    (tmp_path / "tests.yml").write_text(json.dumps(tests), encoding="utf-8")
    tested = run("promtool", "test", "rules", str(tmp_path / "tests.yml"))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_an_identity_seen_twice_is_a_ticket_for_five_minutes(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(rules_text(configured(tmp_path), load_defaults()), encoding="utf-8")
    own = {"site": "hub", "what": "identity_twice", "severity": "ticket", "layer": "other", "tier": "1"}
    said = {f"summary_{tag}": f"hub: {words()['incident_identity_twice'].text(tag)}" for tag in LANGUAGES}
    said |= {"runbook_url": "/runbooks/identity_twice.md", "said_at": "60"}
    fires = [{"exp_labels": own, "exp_annotations": said}]
    series = 'seatwatch_identity_steps_total{step="%s",instance="a"}'
    tests = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "5s",
        "tests": [
            {
                "interval": "5s",
                "input_series": [{"series": series % step, "values": "0x5 1x200"}],
                "alert_rule_test": [
                    {"eval_time": at, "alertname": "IdentityTwice", "exp_alerts": alerts}
                    for at, alerts in expected.items()
                ],
            }
            for step, expected in (("seen_twice", {"60s": fires, "400s": []}), ("enrolled", {"60s": []}))
        ],
    }
    (tmp_path / "tests.yml").write_text(json.dumps(tests), encoding="utf-8")
    tested = run("promtool", "test", "rules", str(tmp_path / "tests.yml"))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_amtool_accepts_the_configuration(routes: Path) -> None:
    checked = run("amtool", "check-config", str(routes))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{2 * (len(EXPLAINS) + len(WORSE_THAN))} inhibit rules" in checked.stdout


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("alertname=MainsLost", "site=site1", "severity=page", "tier=1"), "duty-1"),
        (("alertname=MainsLost", "site=site1", "severity=page", "tier=2"), "duty-2"),
        (("alertname=BatteryLow", "site=site1", "severity=call", "tier=9"), "duty-1"),
        (("alertname=BatteryLow", "site=site1", "severity=call", "tier=10"), "duty-2"),
        (("alertname=BatteryWorn", "site=site1", "severity=ticket", "tier=1"), "tickets"),
        (("alertname=Watchdog", "site=hub", "severity=none"), "deadman"),
        (("alertname=SomethingElse", "site=site1"), "duty-1"),
    ],
)
def test_each_alert_goes_to_who_is_meant(routes: Path, labels: tuple[str, ...], receiver: str) -> None:
    tested = run("amtool", "config", "routes", "test", f"--config.file={routes}", *labels)
    assert tested.stdout.split() == [receiver], tested.stderr


def test_without_a_dead_mans_switch_the_watchdog_is_told_to_nobody(tmp_path: Path) -> None:
    config = configured(tmp_path)
    plain = msgspec.structs.replace(config, alerting=msgspec.structs.replace(config.alerting, deadman_url=""))
    routes = tmp_path / "plain.yml"
    routes.write_text(alertmanager_text(plain, load_defaults(), tmp_path / "token"), encoding="utf-8")
    checked = run("amtool", "check-config", str(routes))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    labels = ("alertname=Watchdog", "site=hub", "severity=none")
    tested = run("amtool", "config", "routes", "test", f"--config.file={routes}", *labels)
    assert tested.stdout.split() == ["nobody"], tested.stderr


def test_no_kind_explains_what_explains_it() -> None:
    pairs = [(a, b) for a in LAYER_OF for b in LAYER_OF if explains(a, b)]
    assert all((b, a) not in pairs for a, b in pairs)
    assert Layer.HEALTH not in EXPLAINS, "a UPS that is merely old explains nothing"


def test_the_pager_of_a_server_is_made_of_the_shipped_thresholds(tmp_path: Path) -> None:
    pager = on_call(configured(tmp_path), load_defaults(), lambda: 0)
    assert (pager.open(), pager.alerts()) == ([], [])
