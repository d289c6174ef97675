"""The enrolment door over real TLS: what it tells, what it refuses, and that it cannot be worn down."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from tests.collector.enrolment.doors import SETTINGS, Door, asked
from tests.collector.enrolment.machines import CODE, DAY, MINUTE, TOKEN, Office, Pc
from wire.enrolment import AUTHORITY_PATH, ENROL_PATH, RENEW_PATH, ROLLOUT_PATH, EnrolAnswer


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    made = Door(tmp_path)
    await made.open()
    yield made
    await made.runner.cleanup()
    made.office.store.close()


def answer(body: bytes) -> EnrolAnswer:
    return msgspec.json.decode(body, type=EnrolAnswer)


async def test_the_authority_is_published_for_whoever_has_its_fingerprint(door: Door) -> None:
    assert await door.ask(AUTHORITY_PATH) == (200, door.office.desk.authority.pem)


async def test_a_code_gets_a_certificate_and_the_certificate_gets_the_next_one(door: Door) -> None:
    door.office.claim()
    gateway = Pc("gw")
    status, body = await door.enrol(gateway, CODE)
    assert (status, answer(body).identity) == (200, "site1/gateway")
    first = answer(body).certificate.encode()
    fresh = gateway.restored()
    status, body = await door.ask(RENEW_PATH, asked(fresh), first, gateway)
    assert (status, answer(body).identity) == (200, "site1/gateway")
    assert door.office.steps() == [("site1/gateway", "enrolled"), ("site1/gateway", "renewed")]
    assert answer(body).not_after - answer(body).not_before == 30 * DAY


async def test_without_a_certificate_nothing_is_renewed_and_no_ring_is_told(door: Door) -> None:
    assert (await door.ask(RENEW_PATH, asked(Pc("gw"))))[0] == 401
    assert (await door.ask(ROLLOUT_PATH))[0] == 401


async def test_a_certificate_of_somebody_else_does_not_get_past_tls(door: Door, tmp_path: Path) -> None:
    other = Office(tmp_path / "other", door.office.now)
    other.claim()
    stranger = Pc("gw")
    granted = other.desk.enrol(CODE, stranger.about, stranger.request())
    with pytest.raises(aiohttp.ClientError):
        await door.ask(RENEW_PATH, asked(stranger), getattr(granted, "pem", b""), stranger)
    other.store.close()


async def test_a_ring_that_is_stopped_is_told_so(door: Door) -> None:
    door.office.claim()
    gateway = Pc("gw")
    _, body = await door.enrol(gateway, CODE)
    shown = answer(body).certificate.encode()
    assert await door.ask(ROLLOUT_PATH, None, shown, gateway) == (200, b'{"ring":"site1","is_held":false}')
    door.held.add("site1")
    assert await door.ask(ROLLOUT_PATH, None, shown, gateway) == (200, b'{"ring":"site1","is_held":true}')
    door.office.store.revoke("site1/gateway", "stolen", "root", door.office.now)
    assert (await door.ask(ROLLOUT_PATH, None, shown, gateway))[0] == 403, "it is known, and ended"


async def test_a_seat_that_waits_is_told_when_to_ask_again(door: Door) -> None:
    door.office.batch("pc-1")
    seat = Pc("pc-1", address="127.0.0.1")
    status, body = await door.enrol(seat, TOKEN)
    assert (status, msgspec.json.decode(body)["error"]) == (403, "wrong_address")
    assert door.office.store.pending() == []


async def test_a_script_that_tries_codes_is_slowed_down_and_others_are_not_refused_for_it(door: Door) -> None:
    seen = [(await door.enrol(Pc("gw"), f"wrong {number}"))[0] for number in range(SETTINGS.failures_burst + 2)]
    assert seen == [401] * SETTINGS.failures_burst + [429] * 2
    door.office.claim()
    assert (await door.enrol(Pc("gw"), CODE))[0] == 200


async def test_a_machine_that_renews_again_and_again_is_slowed_down(door: Door) -> None:
    door.office.claim()
    gateway = Pc("gw")
    shown = answer((await door.enrol(gateway, CODE))[1]).certificate.encode()
    for _ in range(SETTINGS.requests_burst - 1):
        assert (await door.ask(RENEW_PATH, asked(gateway)))[0] == 401
    assert (await door.ask(RENEW_PATH, asked(gateway), shown, gateway))[0] == 429
    door.second += 1
    assert (await door.ask(RENEW_PATH, asked(gateway), shown, gateway))[0] == 200


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"csr":1}', b"x" * 20_000])
async def test_bytes_that_are_no_request_are_refused_as_such(door: Door, body: bytes) -> None:
    status, said = await door.ask(ENROL_PATH, body)
    assert (status, msgspec.json.decode(said)["error"]) == (422, "bad_request")


async def test_a_compressed_request_is_not_unpacked(door: Door) -> None:
    door.office.claim()
    packed = gzip.compress(msgspec.json.encode(asked(Pc("gw"), CODE)))
    for body in (packed, b"no gzip"):
        status, said = await door.ask(ENROL_PATH, body, encoding="gzip")
        assert (status, msgspec.json.decode(said)["error"]) == (422, "bad_request")
    assert (await door.enrol(Pc("gw"), CODE))[0] == 200


async def test_an_old_code_is_told_from_one_that_never_was(door: Door) -> None:
    door.office.claim()
    door.office.now += 15 * MINUTE
    assert msgspec.json.decode((await door.enrol(Pc("gw"), CODE))[1])["error"] == "expired"
