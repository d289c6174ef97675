"""Words for what incidents rest on."""

from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from seatwatch.glossary import Language
from seatwatch.printed.incident_words import IncidentTeller
from tests.builders import ms
from tests.dashboards.alerting.incidents import incident
from tests.sla_engine.entries import Log, head
from wire.facility import Comms, Power, UpsReading
from wire.incident import Severity
from wire.kinds import Kind
from wire.record import BROKER
from wire.recorded import Recorded
from wire.uplink import LineWitnessed


def test_a_lost_broker_is_called_by_what_it_is() -> None:
    entry = Log().silent(BROKER, ms("09:00"), ms("09:01"))
    zone = ZoneInfo("Asia/Shanghai")
    assert IncidentTeller("en", zone).told(entry) == "the hub's MQTT broker: Silent"
    assert IncidentTeller("zh", zone).told(entry) == "监控中心的 MQTT 服务器: 失联"


@pytest.mark.parametrize("comms", list(Comms))
@pytest.mark.parametrize("power", list(Power))
def test_every_reading_of_a_ups_has_its_words_also_while_nothing_is_known_of_its_power(
    power: Power, comms: Comms
) -> None:
    body = UpsReading(**head(ms("09:00")), site="north", ups="rack", power=power, comms=comms)
    entry = Recorded(0, ms("09:00"), "north/gateway", bytes(16), 0, Kind.UPS_READING, 1, body)
    told = IncidentTeller("en", ZoneInfo("Asia/Shanghai")).told(entry)
    assert told.startswith("UPS rack: ")
    assert len(told) > len("UPS rack: ")


LEAVES_THROUGH = "what is sent over it leaves through unicom, by the address the hub sees"


@pytest.mark.parametrize(
    ("language", "headline"),
    [
        (
            "en",
            f"Line down · north telecom · ticket · suspected · {LEAVES_THROUGH}",
        ),
        ("zh", "宽带线路中断 · north telecom · 工单 · 疑似 · 经它发出的流量实际走的是 unicom（中心所见地址）"),
    ],
)
def test_a_line_that_only_the_hub_suspects_is_told_with_what_the_hub_sees(language: Language, headline: str) -> None:
    details = {"elsewhere": "unicom"}
    told = incident("line_down", 0, site="north", subject="telecom", severity=Severity.TICKET, details=details)
    teller = IncidentTeller(language, ZoneInfo("Asia/Shanghai"))
    assert teller.headline(replace(told, is_suspected=True)) == headline


@pytest.mark.parametrize(("language", "words"), [("en", "seen from"), ("zh", "中心看到的地址为")])
def test_what_the_hub_saw_of_a_line_is_told_with_the_line_and_the_address(language: Language, words: str) -> None:
    body = LineWitnessed(**head(ms("09:00")), about_source="north/gateway", line="unicom", egress="203.0.113.1")
    entry = Recorded(0, ms("09:00"), "~witness", bytes(16), 0, Kind.LINE_WITNESSED, 1, body)
    told = IncidentTeller(language, ZoneInfo("Asia/Shanghai")).told(entry)
    assert told == f"north/gateway unicom: {words} 203.0.113.1"
