"""Words for what incidents rest on."""

from zoneinfo import ZoneInfo

import pytest

from seatwatch.incident_words import IncidentTeller
from tests.builders import ms
from tests.sla_engine.entries import head
from wire.facility import Comms, Power, UpsReading
from wire.kinds import Kind
from wire.recorded import Recorded


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
