from sla_engine._core.definition import canonical, label_of
from sla_engine._core.engine import anomalies, contracts_of, definitions_of, new_shard, step
from tests.builders import (
    PRESET,
    Event,
    Play,
    agent,
    assigned,
    changed,
    clock,
    contract,
    customer,
    declared,
    ms,
    offered,
    published,
    rules,
    signed,
    transcript,
)
from wire.kinds import Kind
from wire.organisation import ContractSigned, DefinitionPublished
from wire.recorded import Recorded

NIGHT = changed(version=2, effective_from=ms("+1 00:00"), first_response_limit_ms=20_000)
STRICT = changed(name="strict", first_response_limit_ms=5_000, warning_after_ms=3_000)


def verdicts(play: Play) -> dict[str, str]:
    return {fact.definition: fact.verdict for fact in play.sessions()}


def test_several_definitions_judge_one_queue_at_the_same_time() -> None:
    play = transcript(customer("09:00:00"), agent("09:00:08"), given=rules(PRESET, STRICT))
    assert verdicts(play) == {label_of(PRESET): "met", label_of(STRICT): "breached"}
    assert [d.name for d in definitions_of(play.shard, "presale", ms("09:00"))] == ["contract-10s", "strict"]


def test_a_queue_in_no_contract_is_judged_by_nothing_and_still_seen() -> None:
    play = transcript(offered("09:00:00"), given=rules(PRESET, queues=["aftersale"]), settled=False)
    assert play.facts == []
    assert definitions_of(play.shard, "presale", ms("09:00")) == ()


def test_a_new_version_judges_sessions_that_start_from_its_date_on() -> None:
    before = [declared(0), published(), published(NIGHT), signed()]
    day = transcript(customer("20:00:00"), agent("20:00:15"), given=before)
    assert day.session().verdict == "breached"
    night = transcript(customer("+1 20:00:00"), agent("+1 20:00:15"), given=before)
    assert night.session().verdict == "met"
    assert night.session().definition == label_of(NIGHT)


def test_a_new_version_changes_nothing_about_a_session_that_started_before_it() -> None:
    at_once = changed(version=2, effective_from=ms("09:00:05"), first_response_limit_ms=20_000)
    play = transcript(customer("09:00:00"), published(at_once, arrives="09:00:06"), agent("09:00:15"))
    assert play.session().definition == label_of(PRESET)
    assert play.session().verdict == "breached"


def test_a_later_contract_of_the_same_name_replaces_the_earlier_one() -> None:
    before = [
        declared(0),
        published(),
        published(STRICT),
        signed(contract("contract-10s")),
        signed(contract("strict", since="12:00")),
    ]
    play = transcript(given=before)
    assert [d.name for d in definitions_of(play.shard, "presale", ms("11:59"))] == ["contract-10s"]
    assert [d.name for d in definitions_of(play.shard, "presale", ms("12:00"))] == ["strict"]


def test_contracts_of_two_names_apply_together_and_an_ended_one_does_not() -> None:
    promo = contract("strict", name="promo", since="12:00", until="18:00", queues=["presale"])
    play = transcript(given=[declared(0), published(), published(STRICT), signed(), signed(promo)])
    names = {at: [c.name for c in contracts_of(play.shard, "presale", ms(at))] for at in ("11:00", "12:00", "18:00")}
    assert names == {"11:00": ["acme-2026"], "12:00": ["acme-2026", "promo"], "18:00": ["acme-2026"]}
    assert [c.name for c in contracts_of(play.shard, "aftersale", ms("12:00"))] == ["acme-2026"]
    assert [d.name for d in definitions_of(play.shard, "presale", ms("12:00"))] == ["contract-10s", "strict"]


def test_a_contract_that_names_a_definition_nobody_published_judges_by_the_others() -> None:
    play = transcript(given=[declared(0), published(), signed(contract("missing", "contract-10s"))])
    assert [d.name for d in definitions_of(play.shard, "presale", ms("09:00"))] == ["contract-10s"]


def test_rules_that_cannot_be_used_are_counted_by_their_key_and_do_no_harm() -> None:
    head = (0, 1, "hub", None, True, "")
    other = canonical(changed(semantics=99))
    play = transcript(
        Event(DefinitionPublished(*head, "x", 1, 0, other), "~rules", 0),
        Event(DefinitionPublished(*head, "x", 1, 0, b"\xc1"), "~rules", 0),
        Event(ContractSigned(*head, "x", 0, b"\x80"), "~rules", 0),
        customer("09:00:00"),
        agent("09:00:08"),
    )
    assert anomalies(play.shard) == {
        "definition_refused.semantics": 1,
        "definition_refused.document": 1,
        "contract_refused.document": 1,
    }
    assert play.session().verdict == "met"


def test_an_entry_whose_bytes_do_not_fit_its_kind_is_counted_and_does_no_harm() -> None:
    shard = new_shard()
    unreadable = Recorded(0, 0, "~roster", bytes(16), 1, Kind.ROSTER_LINK, 1, None, malformed=True)
    purged = Recorded(1, 0, "~roster", bytes(16), 2, Kind.ROSTER_LINK, 1, None)
    assert step(shard, [unreadable, purged], 0).facts == []
    assert anomalies(shard) == {"unreadable": 1}


def test_the_queue_may_become_known_after_the_start() -> None:
    play = transcript(customer("09:00:00", queue=""), offered("09:00:01"), assigned("09:00:02"), agent("09:00:11"))
    assert play.session().queue == "presale"
    assert play.session().first_response_ms == 11_000
    assert play.turns() == [11_000]


def test_rules_that_come_after_a_session_began_do_not_judge_it() -> None:
    play = transcript(
        customer("09:00:00", c="early"),
        published(arrives="09:00:01"),
        signed(arrives="09:00:01"),
        customer("09:00:02", c="later"),
        clock("09:10"),
        given=[declared(0)],
    )
    assert play.sessions("early") == []
    assert play.session("later").verdict == "breached"
