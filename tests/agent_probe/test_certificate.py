"""When a certificate is valid, from its bytes: against a real authority's, and against damage."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from agent_probe._core.certificate import validity

AUTHORITY = trustme.CA()
SINCE = datetime(2026, 11, 1, 8, tzinfo=UTC)


def der(since: datetime, until: datetime) -> bytes:
    issued = AUTHORITY.issue_cert("gw1.sz1.example", not_before=since, not_after=until)
    return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode("ascii"))


def in_ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


@pytest.mark.parametrize("days", [1, 90, 365 * 30])
def test_first_and_last_instant_are_read_in_both_forms_of_dates(days: int) -> None:
    until = SINCE + timedelta(days=days, seconds=59)
    assert validity(der(SINCE, until)) == (in_ms(SINCE), in_ms(until))


@given(st.integers(0, 400), st.binary(max_size=30))
def test_damaged_bytes_are_a_certificate_or_refused(at: int, junk: bytes) -> None:
    whole = GOOD
    try:
        found = validity(whole[:at] + junk)
    except ValueError:
        return
    assert len(found) == 2


GOOD = der(SINCE, SINCE + timedelta(days=1))
