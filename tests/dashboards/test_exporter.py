import re
from random import Random

import msgspec
import pytest
from prometheus_client import CollectorRegistry, Metric, exposition
from prometheus_client.openmetrics import exposition as openmetrics_exposition
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families as parse_plain

from dashboards import catalogue as c
from dashboards.exporter import Exporter
from dashboards.exposition import wants_openmetrics
from dashboards.snapshot import (
    Distribution,
    EnrolmentFigures,
    IntakeFigures,
    LedgerFigures,
    OnCallFigures,
    ScreenFigures,
    Snapshot,
)
from tests.dashboards.alerting.incidents import incident, paged
from tests.dashboards.boards import NOON, board, figures, floor, people, second, site, tile, totals
from tests.tidy.source import ROOT
from wire.board import RESPONSE_EDGES_MS, AgentCount, Board, Figures, Mean, Ratio, Waiting
from wire.spelling import APART_BEGINS, APART_ENDS, isolated
from wire.verdict import Notice

INTAKE = IntakeFigures(
    frames=9,
    frame_bytes=4_096,
    accepted=120,
    repeats=7,
    quarantined={"body_malformed": 2, "sent by nobody we know": 3},
    refused={"not_a_frame": 5, "busy": 6, "a later version's word": 7},
    equivocations=1,
    gaps=2,
    unrouted=4,
    waiting_rows=17,
    ahead_ms=1_500,
    commit=Distribution(edges_ms=(1, 5, 20), counts=(3, 2, 1, 1), total_ms=61),
)


def parse_openmetrics(text: bytes) -> list[Metric]:
    return list(openmetrics_parser.text_string_to_metric_families(text.decode()))  # type: ignore[no-untyped-call]  # no types there


def exporter(snapshot: Snapshot, ids_max: int = 500) -> Exporter:
    return Exporter(lambda: snapshot, version="0.1.0", ids_max=ids_max)


def full(shown: Board | None = None) -> Snapshot:
    return Snapshot(
        now_ms=NOON + 250,
        board=floor(Random(1), queues=12, teams=5, sites=4) if shown is None else shown,
        intake=INTAKE,
        ledgers=[
            LedgerFigures(ledger="operator", entries=50, folded=48, anomalies={"late": 2}),
            LedgerFigures(ledger="acme", entries=900, folded=900, anomalies={"no_queue": 3, "a later word": 1}),
            LedgerFigures(ledger="cold", entries=3),
        ],
        on_call=OnCallFigures(
            open=[incident("mains_lost", NOON, subject="rack1"), incident("a later word", NOON)],
            alerts=paged(incident("mains_lost", NOON, subject="rack1"), NOON),
            pushes={"sent": 4, "failed": 1},
            notifications={("floor", "sent"): 2, ("floor", "failed"): 1},
        ),
        enrolment=EnrolmentFigures(steps={"enrolled": 3}, refused={"expired": 1}, denied={"publish": 2}),
        screens=ScreenFigures(connected=3, refused=1, frames=800, frames_dropped=12),
        lateness={
            Notice.WARNING: Distribution(edges_ms=(10, 20), counts=(5, 1, 0), total_ms=31),
            Notice.OVERDUE: Distribution(edges_ms=(10, 20), counts=(2, 0, 1), total_ms=64),
        },
    )


def parsed(of: Exporter) -> dict[str, Metric]:
    return {family.name: family for family in parse_openmetrics(of.render(openmetrics=True))}


def value(families: dict[str, Metric], name: str, **labels: str) -> float | None:
    """The one sample of this name with these labels, None if there is none."""
    found = [
        s.value for f in families.values() for s in f.samples if s.name == name and labels.items() <= s.labels.items()
    ]
    assert len(found) <= 1, f"{name}{labels} is there {len(found)} times"
    return found[0] if found else None


def test_the_exposition_ends_with_eof_and_only_names_what_the_catalogue_lists() -> None:
    of = exporter(full())
    families = parsed(of)
    assert of.render(openmetrics=True).endswith(b"\n# EOF\n")
    assert set(families) == set(c.CATALOGUE), "a full snapshot shows every metric there is"
    for name, family in families.items():
        metric = c.CATALOGUE[name]
        assert (family.type, family.documentation, family.unit) == (metric.type, metric.help, metric.unit)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels)


def test_every_closed_label_holds_only_listed_values() -> None:
    for family in parsed(exporter(full())).values():
        for sample in family.samples:
            for label, text in sample.labels.items():
                assert label not in c.LABEL_VALUES or text in c.LABEL_VALUES[label]


@pytest.mark.parametrize("openmetrics", [True, False])
def test_the_fast_writer_says_what_the_library_would_have_written(openmetrics: bool) -> None:
    of = exporter(full())
    registry = CollectorRegistry(auto_describe=False)
    registry.register(of)
    if openmetrics:
        library = openmetrics_exposition.generate_latest(registry)  # type: ignore[no-untyped-call]  # no types there
        ours, theirs = (parse_openmetrics(text) for text in (of.render(openmetrics=True), library))
    else:
        library = exposition.generate_latest(registry)
        ours, theirs = (list(parse_plain(text.decode())) for text in (of.render(openmetrics=False), library))
    changing = c.SCRAPE_SECONDS.name
    assert [f for f in ours if f.name != changing] == [f for f in theirs if f.name != changing]


def test_openmetrics_goes_to_whoever_asks_for_it() -> None:
    prometheus = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    assert wants_openmetrics(prometheus)
    assert not wants_openmetrics("text/html,*/*")


def test_the_histogram_is_cumulative_with_edges_exactly_on_what_contracts_judge_by() -> None:
    shape = totals(Random(4))
    families = parsed(exporter(full(board(queues=[tile(totals=shape)]))))
    family = families["seatwatch_first_response_seconds"]
    buckets = {s.labels["le"]: s.value for s in family.samples if s.name.endswith("_bucket")}
    assert {"6.0", "10.0", "15.0", "20.0", "30.0", "60.0", "+Inf"} <= set(buckets)
    assert list(buckets) == [*(str(edge / 1000) for edge in RESPONSE_EDGES_MS), "+Inf"]
    assert buckets["10.0"] == sum(shape.first_response.counts[:4]) == shape.met
    assert (
        buckets["+Inf"] == value(families, "seatwatch_first_response_seconds_count") == sum(shape.first_response.counts)
    )
    assert value(families, "seatwatch_first_response_seconds_sum") == shape.first_response.total_ms / 1000


def test_warnings_and_overdue_notices_tell_apart_how_late_they_were() -> None:
    families = parsed(exporter(full()))
    name = "seatwatch_announcement_lateness_seconds"
    assert value(families, f"{name}_bucket", notice="warning", le="0.02") == 6
    assert value(families, f"{name}_bucket", notice="overdue", le="0.02") == 2
    assert value(families, f"{name}_count", notice="overdue") == 3
    assert value(families, f"{name}_sum", notice="overdue") == 0.064


def test_live_figures_of_a_queue() -> None:
    live = Waiting(waiting=3, overdue=1, oldest_since=NOON - 12_345, next_due_at=NOON - 2_345, open=9)
    families = parsed(exporter(full(board(queues=[tile(live=live, day=figures(12, 13, 18_400, 41))]))))
    where = {"client": "acme", "queue": "chat"}
    assert value(families, "seatwatch_waiting_conversations", **where) == 3
    assert value(families, "seatwatch_overdue_conversations", **where) == 1
    assert value(families, "seatwatch_oldest_wait_seconds", **where) == 12.345
    assert value(families, "seatwatch_window_met", **where, window="day") == 12
    assert value(families, "seatwatch_window_judged", **where, window="day") == 13
    assert value(families, "seatwatch_window_average_response_seconds", **where, window="day") == 18.4
    assert value(families, "seatwatch_agents", **where, presence="ready", activity="serving") == 5


def test_a_second_figure_is_told_by_the_name_of_its_definition() -> None:
    families = parsed(exporter(full(board(queues=[tile(seconds=[second("tmall-art", 7, 9)])]))))
    where = {"client": "acme", "queue": "chat", "definition": "tmall-art", "window": "day"}
    assert value(families, "seatwatch_window_second_met", **where) == 7
    assert value(families, "seatwatch_window_second_judged", **where) == 9


def test_people_seats_and_coverage_of_a_client() -> None:
    families = parsed(exporter(full()))
    assert value(families, "seatwatch_staffed_seats", client="client-0") == 15
    assert value(families, "seatwatch_contracted_seats", client="client-0") == 18
    assert value(families, "seatwatch_seat_shortfall_seconds", client="client-0") == 3_600
    assert value(families, "seatwatch_coverage_ratio", client="client-0") == 0.98
    assert value(families, "seatwatch_team_surge_conversations", team="team-000") == 4
    assert value(families, "seatwatch_window_near_limit", queue="queue-000", window="day") == 2


def test_what_has_no_data_is_absent_and_never_zero() -> None:
    empty = Figures(average_response=Mean(0, 0), attainment=Ratio(0, 0))
    unheard = site(power=None, comms=None, charge_percent=None, runtime_ms=None, last_heard_at=None)
    families = parsed(
        exporter(Snapshot(now_ms=NOON, board=board(queues=[tile(live=None, day=empty)], sites=[unheard])))
    )
    for name in ("waiting_conversations", "oldest_wait_seconds", "first_response_seconds_count"):
        assert value(families, f"seatwatch_{name}") is None
    assert value(families, "seatwatch_window_average_response_seconds", window="day") is None
    for name in ("ups_on_battery", "ups_comms_ok", "ups_charge_ratio", "ups_runtime_seconds", "seats_present"):
        assert value(families, f"seatwatch_{name}") is None
    assert value(families, "seatwatch_site_last_heard_timestamp_seconds") is None
    assert "seatwatch_frames" not in families
    assert "seatwatch_screens_connected" not in families


def test_nothing_but_the_build_is_told_before_there_is_a_board() -> None:
    families = parsed(exporter(Snapshot(now_ms=NOON)))
    assert value(families, "seatwatch_build_info", version="0.1.0") == 1
    assert "seatwatch_board_age_seconds" not in families


def test_a_site_is_in_one_state_and_its_ups_tells_battery_charge_and_trust() -> None:
    on_battery = site("gz3", "on_battery", power="battery", charge_percent=62, comms="stale")
    families = parsed(exporter(full(board(sites=[site(), on_battery, site("odd", "a state of next year")]))))
    states = {s.labels["state"]: s.value for s in families["seatwatch_site_state"].samples if s.labels["site"] == "gz3"}
    assert states == dict.fromkeys(c.SITE_STATES, 0) | {"on_battery": 1}
    assert value(families, "seatwatch_site_state", site="odd", state="other") == 1
    assert value(families, "seatwatch_ups_on_battery", site="gz3") == 1
    assert value(families, "seatwatch_ups_on_battery", site="sh1") == 0
    assert value(families, "seatwatch_ups_comms_ok", site="gz3") == 0
    assert value(families, "seatwatch_ups_charge_ratio", site="gz3") == 0.62


def test_counters_of_the_intake_and_reasons_nobody_listed() -> None:
    families = parsed(exporter(full()))
    assert value(families, "seatwatch_accepted_total") == 120
    assert value(families, "seatwatch_quarantined_total", reason="body_malformed") == 2
    assert value(families, "seatwatch_quarantined_total", reason="other") == 3
    assert value(families, "seatwatch_quarantined_total", reason="too_large") == 0
    assert value(families, "seatwatch_frames_refused_total", refusal="not_a_frame") == 5
    assert value(families, "seatwatch_frames_refused_total", refusal="busy") == 6
    assert value(families, "seatwatch_frames_refused_total", refusal="other") == 7
    assert value(families, "seatwatch_frames_refused_total", refusal="too_often") == 0
    assert value(families, "seatwatch_commit_seconds_bucket", le="0.005") == 5
    assert value(families, "seatwatch_engine_lag_entries", ledger="operator") == 2
    assert value(families, "seatwatch_engine_lag_entries", ledger="cold") is None
    assert value(families, "seatwatch_intake_waiting_rows") == 17
    assert value(families, "seatwatch_record_ahead_seconds") == 1.5


def test_what_was_odd_is_counted_by_its_kind_and_summed_beyond_the_cap() -> None:
    families = parsed(exporter(full()))
    odd = "seatwatch_engine_anomalies_total"
    assert value(families, odd, ledger="acme", anomaly="no_queue") == 3
    assert value(families, odd, ledger="acme", anomaly="other") == 1
    assert value(families, odd, ledger="acme", anomaly="late") == 0
    assert value(families, odd, ledger="cold", anomaly="late") is None
    assert value(parsed(exporter(full(), ids_max=1)), odd, ledger="other", anomaly="late") == 2
    assert value(families, "seatwatch_board_age_seconds") == 0.25


def test_ids_beyond_the_cap_are_summed_as_other_and_counted() -> None:
    shown = floor(Random(2), queues=9, teams=4, sites=6)
    families = parsed(exporter(full(shown), ids_max=4))
    assert value(families, "seatwatch_metrics_ids_capped", scope="queue") == 5
    assert value(families, "seatwatch_metrics_ids_capped", scope="team") == 0
    assert value(families, "seatwatch_metrics_ids_capped", scope="site") == 2
    queues = {s.labels["queue"] for s in families["seatwatch_window_judged"].samples}
    assert queues == {"queue-000", "queue-001", "queue-002", "queue-003", "other"}
    for name, whole in (
        ("seatwatch_waiting_conversations", sum(t.live.waiting for t in shown.queues if t.live)),
        ("seatwatch_judged_total", sum(t.totals.judged for t in shown.queues if t.totals)),
        (
            "seatwatch_first_response_seconds_count",
            sum(sum(t.totals.first_response.counts) for t in shown.queues if t.totals),
        ),
    ):
        assert sum(s.value for f in families.values() for s in f.samples if s.name == name) == whole
    sites = families["seatwatch_site_state"].samples
    assert sum(s.value for s in sites if s.labels["site"] == "other") == 2
    assert value(families, "seatwatch_seats_present", site="site-00") == 14
    assert value(families, "seatwatch_seats_expected", site="other") == 2 * 15


def test_the_first_ids_keep_their_series_when_others_come_and_move_up_when_they_go() -> None:
    shown = {"now": board(queues=[tile(id_="m"), tile(id_="n")])}
    of = Exporter(lambda: Snapshot(now_ms=NOON, board=shown["now"]), version="1", ids_max=2)

    def own() -> set[str]:
        return {s.labels["queue"] for s in parsed(of)["seatwatch_feed_stale"].samples}

    assert own() == {"m", "n"}
    shown["now"] = board(queues=[tile(id_="a"), tile(id_="m"), tile(id_="n")])
    assert own() == {"m", "n", "other"}
    shown["now"] = board(queues=[tile(id_="a"), tile(id_="n")])
    assert own() == {"a", "n"}


def test_a_queue_named_other_does_not_collide_with_the_sum() -> None:
    of = exporter(full(board(queues=[tile(id_="other"), tile(id_="chat")])))
    samples = parsed(of)["seatwatch_feed_stale"].samples
    assert sorted((s.labels["client"], s.labels["queue"]) for s in samples) == [("acme", "chat"), ("other", "other")]


@pytest.mark.parametrize("name", ['"', "\\", "\n", 'a"}\nseatwatch_frames_total 99\n#', "\u200b\u202e中文", "{}=,"])
def test_hostile_ids_stay_inside_their_label(name: str) -> None:
    of = exporter(Snapshot(now_ms=NOON, board=board(queues=[tile(id_=name, client=name)])))
    families = parsed(of)
    assert "seatwatch_frames" not in families
    assert value(families, "seatwatch_feed_stale", client=name, queue=name) == 0


@pytest.mark.parametrize(
    "name", ["店" * 200, "n" * 200, isolated("חנות" * 50), "极光家电官方旗舰店（华东大区售前售后服务组）"]
)
def test_no_label_is_longer_than_the_shipped_prometheus_takes(name: str) -> None:
    """One longer than its limit, and it refuses the whole scrape: HubDown had called people for the name of a shop."""
    shipped = (ROOT / "deploy" / "compose" / "prometheus.yml").read_text(encoding="utf-8")
    limits = dict(re.findall(r"(label\w*_limit): (\d+)", shipped))
    shown = floor(Random(1), queues=3, teams=2, sites=2)
    groups = {kind: getattr(shown, kind) for kind in ("clients", "queues", "teams", "sites")}
    for kind, tiles in groups.items():
        groups[kind] = [
            msgspec.structs.replace(each, name=name, name_en="Aurora Home Appliances Flagship Store") for each in tiles
        ]
    written = exporter(full(msgspec.structs.replace(shown, **groups))).render(openmetrics=False).decode()
    found = [sample for family in parse_plain(written) for sample in family.samples]
    assert max(len(value.encode()) for each in found for value in each.labels.values()) <= int(
        limits["label_value_length_limit"]
    )
    added = len({"__name__", "job", "instance"})
    assert max(len(each.labels) for each in found) + added <= int(limits["label_limit"])
    called = {each.labels["client_name"] for each in found if each.name == "seatwatch_client_info"}
    assert all(each.count(APART_BEGINS) == each.count(APART_ENDS) for each in called)
    assert all(each[:20] == name[:20] for each in called), "as much of it as there is room for"


def test_presences_nobody_listed_are_other() -> None:
    odd = [AgentCount("ready", "idle", 2), AgentCount("on the moon", "idle", 1), AgentCount("ready", "dancing", 4)]
    families = parsed(exporter(full(board(queues=[tile(agents=[*odd, *people(0, 0, 0, 0)])]))))
    assert value(families, "seatwatch_agents", presence="other", activity="idle") == 1
    assert value(families, "seatwatch_agents", presence="ready", activity="other") == 4


def test_a_scrape_tells_how_long_the_one_before_it_took() -> None:
    of = exporter(full())
    assert value(parsed(of), "seatwatch_scrape_duration_seconds") == 0
    assert (value(parsed(of), "seatwatch_scrape_duration_seconds") or 0) > 0


def test_what_people_call_an_id_is_told_once_and_in_no_other_series() -> None:
    shown = board(
        clients=[tile("client", "acme", name="极光家电", name_en="Aurora")],
        queues=[tile(id_="chat", name="售前", name_en="Pre-sales"), tile(id_="mail", name="邮件")],
        teams=[tile("team", "t1", client="gone", name="一组", name_en="Team 1")],
        sites=[site("sh1", name="上海"), site("sz1", name="苏州", name_en="Suzhou"), site("wx1")],
    )
    families = parsed(exporter(full(shown), ids_max=2))

    def names(kind: str) -> list[dict[str, str]]:
        return [sample.labels for sample in families[f"seatwatch_{kind}"].samples]

    aurora = {"client": "acme", "client_name": "极光家电 Aurora"}
    assert names("client") == [{**aurora, "name_zh": "极光家电", "name_en": "Aurora"}]
    assert names("queue") == [
        {**aurora, "queue": "chat", "queue_name": "售前 Pre-sales", "name_zh": "售前", "name_en": "Pre-sales"},
        {**aurora, "queue": "mail", "queue_name": "邮件", "name_zh": "邮件", "name_en": "邮件"},
    ]
    assert names("team")[0]["client_name"] == "gone", "a client that is not on the board is called by its id"
    assert [each["site_name"] for each in names("site")] == ["上海", "苏州 Suzhou", "other"]
    named = {"client", "queue", "team", "site"}
    elsewhere = [family for name, family in families.items() if name.removeprefix("seatwatch_") not in named]
    assert not {label for family in elsewhere for sample in family.samples for label in sample.labels} & {
        *c.NAME_LABELS
    }
