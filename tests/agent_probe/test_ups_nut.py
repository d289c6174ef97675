"""The NUT protocol as bytes, and power states as tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_probe.sensors.ups.nut import (
    Listing,
    NutParser,
    NutProtocolError,
    Refusal,
    Variable,
    Words,
    get_variable,
    list_variables,
    split_words,
)
from agent_probe.sensors.ups.sensor import has_mains, whole
from agent_probe.sensors.ups.status import comms_of_refusal, power_of, tokens
from wire.facility import Comms, Power


def quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("   ", []),
        ("OK TRACKING  1", ["OK", "TRACKING", "1"]),
        ('VAR u1 ups.status "OL CHRG"', ["VAR", "u1", "ups.status", "OL CHRG"]),
        ('VAR u1 ups.mfr ""', ["VAR", "u1", "ups.mfr", ""]),
        (r'UPS seq2 "seq \"loop\""', ["UPS", "seq2", 'seq "loop"']),
        (r'VAR u1 ups.id "79<><>/\\"', ["VAR", "u1", "ups.id", "79<><>/\\"]),
        ('VAR u1 x "no end', ["VAR", "u1", "x", "no end"]),
    ],
)
def test_a_line_is_split_into_words(line: str, words: list[str]) -> None:
    assert split_words(line) == tuple(words)


@given(st.lists(st.text(st.characters(blacklist_characters="\n\r", blacklist_categories=["Cs"])), min_size=1))
def test_what_was_quoted_comes_back(values: list[str]) -> None:
    assert split_words(" ".join(quoted(value) for value in values)) == tuple(values)


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_bytes_in_any_pieces_are_read_or_refused(data: bytes, piece: int) -> None:
    whole_parser, pieces_parser = NutParser(), NutParser()
    expected = whole_parser.feed(data)
    pieces = [data[n : n + piece] for n in range(0, len(data), piece)]
    assert [answer for part in pieces for answer in pieces_parser.feed(part)] == expected


def test_answers_are_told_apart() -> None:
    parser = NutParser()
    answers = parser.feed(
        b'VAR u1 ups.status "OL"\nERR DATA-STALE\nERR\nOK Goodbye\n'
        b'BEGIN LIST VAR u1\nVAR u1 a "1"\nVAR u1 b "x y"\nEND LIST VAR u1\nVAR u1 c "\xff\xfe"\n'
    )
    assert answers[:4] == [
        Variable("u1", "ups.status", "OL"),
        Refusal("DATA-STALE"),
        Refusal(""),
        Words(("OK", "Goodbye")),
    ]
    listing = answers[4]
    assert isinstance(listing, Listing)
    assert (listing.query, listing.variables()) == (("VAR", "u1"), {"a": "1", "b": "x y"})
    assert answers[5] == Variable("u1", "c", "\ufffd\ufffd")


def test_an_error_in_the_middle_of_a_listing_ends_it() -> None:
    parser = NutParser()
    assert parser.feed(b'BEGIN LIST VAR u1\nVAR u1 a "1"\nERR DATA-STALE\n') == [Refusal("DATA-STALE")]
    assert parser.feed(b'VAR u1 a "1"\n') == [Variable("u1", "a", "1")]


@pytest.mark.parametrize("data", [b"x" * 5_000, b"x" * 5_000 + b"\n", b"BEGIN LIST VAR u\n" + b"VAR u a b\n" * 5_000])
def test_an_endless_line_or_listing_is_refused(data: bytes) -> None:
    with pytest.raises(NutProtocolError):
        NutParser().feed(data)


def test_requests_quote_what_needs_it_and_can_never_hold_two_lines() -> None:
    assert get_variable("u1", "ups.status") == b"GET VAR u1 ups.status\n"
    assert list_variables('odd "name') == b'LIST VAR "odd \\"name"\n'
    assert list_variables("a\nFSD u1").count(b"\n") == 1


@pytest.mark.parametrize(
    ("status", "power"),
    [
        ("WAIT", Power.STARTING),
        ("FSD OB LB", Power.CRITICAL),
        ("ALARM OL FSD", Power.CRITICAL),
        ("OL OB", Power.CONFLICT),
        ("OL DISCHRG OB", Power.CONFLICT),
        ("OB LB RB", Power.CRITICAL),
        ("OB LB CAL", Power.BATTERY),
        ("ALARM OB", Power.BATTERY),
        ("DISCHRG OB", Power.BATTERY),
        ("OL CHRG TRIM OFF", Power.LOAD_OFF),
        ("OL DISCHRG", Power.MAINS_DISCHARGING),
        ("OL CAL", Power.MAINS),
        ("LB OL CHRG", Power.MAINS),
        ("OL LB OVER RB BOOST", Power.MAINS),
        ("OL ECO SOMETHING-NEW", Power.MAINS),
        ("TRIM", Power.MAINS),
        ("BOOST", Power.MAINS),
        ("OL BYPASS", Power.BYPASS),
        ("BOOST BYPASS", Power.BYPASS),
        ("BYPASS", Power.BYPASS),
        ("OFF", Power.OFF),
        ("", Power.UNKNOWN),
        ("ALARM", Power.UNKNOWN),
    ],
)
def test_a_set_of_tokens_is_one_power_state_in_any_order(status: str, power: Power) -> None:
    assert power_of(tokens(status)) is power
    assert power_of(tokens(" ".join(reversed(status.split())))) is power


@pytest.mark.parametrize(
    ("code", "comms"),
    [
        ("DATA-STALE", Comms.STALE),
        ("DRIVER-NOT-CONNECTED", Comms.DRIVER_DEAD),
        ("UNKNOWN-UPS", Comms.UNKNOWN_UPS),
        ("ACCESS-DENIED", Comms.UNREACHABLE),
    ],
)
def test_each_refusal_says_what_is_wrong_with_the_connection(code: str, comms: Comms) -> None:
    assert comms_of_refusal(code) is comms


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("087", 87),
        ("100.0", 100),
        ("49.6", 50),
        ("", None),
        ("unknown", None),
        ("nan", None),
        ("inf", None),
        ("-1", None),
    ],
)
def test_a_value_is_a_whole_number_or_absent_and_never_zero_instead(value: str, expected: int | None) -> None:
    assert whole({"x": value}, "x") == expected
    assert whole({}, "x") is None


def test_a_value_above_what_it_can_be_is_absent() -> None:
    assert whole({"battery.charge": "655"}, "battery.charge", most=100) is None
    assert whole({"input.voltage": "229.75"}, "input.voltage", thousandths=True) == 229_750


def test_whether_mains_is_there_is_known_only_of_both_the_voltage_and_where_the_unit_transfers() -> None:
    assert has_mains({"input.voltage": "12.0", "input.transfer.low": "176"}) is False
    assert has_mains({"input.voltage": "233.7", "input.transfer.low": "176"}) is True
    assert has_mains({"input.voltage": "12.0"}) is None
