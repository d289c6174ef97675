"""What of a roster file no ledger can carry: refused with its row, since a record is never rewritten."""

from pathlib import Path

import pytest

from collector._core.roster import changes, entries
from tests.collector.test_roster import BASE, NOVEMBER, found, links_of, row
from wire.codec import decode_body
from wire.organisation import RosterLink

TOO_WIDE = "is too wide to be one line's, every address in it would be this line; from"


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (
            {"line": "l1", "site": "s1", "egress": " ".join(f"203.113.{part}.0/24" for part in range(100, 120))},
            "egress: 20 networks take 339 characters, at most 256 fit; write wider ones",
        ),
        (
            {"client": "acme", "contracted_seats": "9" * 5000},
            "contracted_seats: write a whole number of at most 6 digits",
        ),
        (
            {"seat": "A-09", "site": "s1", "seat_mode": "shared", "limit": "9" * 5000},
            "limit: write how many conversations at once, a whole number from 1 on, of at most 6 digits",
        ),
        ({"line": "l" * 90, "site": "s" * 90}, "line: at most 95 characters together with its site"),
        ({"person": "P1", "shift": "0" * 5000 + "8:00-16:00"}, "shift: write it as 08:00-16:00 or 22:00-06:00"),
        ({"line": "l1", "site": "s1", "carrier_line_id": "1" * 97}, "carrier_line_id: at most 96 characters"),
        (
            {"line": "l1", "site": "s1", "carrier_line_id": "2.88123E+11"},
            "carrier_line_id: digits are lost; make the column text in the spreadsheet and type it again",
        ),
        (
            {"line": "l1", "site": "s1", "egress": "203.0.113.0/29 0.0.0.0/0"},
            f"egress: 0.0.0.0/0 {TOO_WIDE} /8 on it can be taken",
        ),
        (
            {"line": "l1", "site": "s1", "egress": "2000::/3"},
            f"egress: 2000::/3 {TOO_WIDE} /16 on it can be taken",
        ),
    ],
)
def test_what_no_ledger_could_be_read_with_is_a_problem_of_its_row(
    tmp_path: Path, cells: dict[str, str], what: str
) -> None:
    assert [(each.row, each.what) for each in found(tmp_path, row(**cells))] == [(len(BASE) + 2, what)]


def test_the_widest_networks_and_the_longest_values_that_are_taken_can_be_read_again(tmp_path: Path) -> None:
    stated = links_of(
        tmp_path,
        row(line="l" * 47, site="s" * 48, carrier="c" * 96, carrier_line_id="9" * 96, egress="11.0.0.0/8 2001::/16"),
        row(client="acme", contracted_seats="9" * 6),
        row(person="P" * 96, team="t" * 96, effective_until="9999-12-30"),
    )
    for entry in entries({}, changes({}, stated), NOVEMBER):
        assert isinstance(decode_body(entry.kind, entry.kind_version, entry.body), RosterLink)
