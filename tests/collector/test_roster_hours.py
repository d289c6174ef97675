"""When a site serves, and by whose clock, in a roster file."""

from pathlib import Path

import pytest

from tests.collector.test_roster import found, links_of, row
from wire.organisation import Relation
from wire.zone_text import changes_in, table_in


@pytest.mark.parametrize(("written", "kept"), [("0:00-24:00", "00:00-24:00"), ("20:00~4:00", "20:00-04:00")])
def test_a_site_says_when_it_serves(tmp_path: Path, written: str, kept: str) -> None:
    (hours,) = links_of(tmp_path, row(site="wuhan", service_hours=written), base=())
    assert hours[:3] == (Relation.HOURS_OF_SITE, "wuhan", kept)
    assert hours.attributes == (("ends", kept[-5:]), ("starts", kept[:5]))


def test_a_site_says_by_which_clock_it_serves_and_its_offsets_stand_on_the_record(tmp_path: Path) -> None:
    berlin = row(site="berlin", service_hours="08:00-20:00", time_zone="Europe/Berlin")
    (hours,) = links_of(tmp_path, berlin, base=())
    told = dict(hours.attributes)
    assert (told["starts"], told["ends"], told["time_zone"]) == ("08:00", "20:00", "Europe/Berlin")
    assert len(changes_in(table_in(told))) > 100
    assert links_of(tmp_path, berlin, base=()) == [hours], "importing it again changes nothing"
    for wrong, why in (
        (row(site="x", service_hours="08:00-20:00", time_zone="CST+8"), "time_zone: no such zone"),
        (row(site="x", service_hours="08:00-20:00", time_zone="Berlin"), "time_zone: no such zone"),
        (row(site="x", line="l", time_zone="Europe/Berlin"), "time_zone: nothing in this row to link it to"),
    ):
        assert why in found(tmp_path, wrong)[0].what
