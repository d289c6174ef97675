"""Who gets an identity and who does not, over a real authority and store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from collector.enrolment._core.desk import JoinState, Refuse, Wait
from collector.enrolment.desk import Granted
from tests.collector.enrolment.machines import CODE, DAY, LIMITS, MINUTE, TOKEN, Office, Pc
from wire.enrolment import Refusal


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.store.close()


def granted(answer: object) -> Granted:
    assert isinstance(answer, Granted), answer
    return answer


def reason(answer: object) -> Refusal:
    assert isinstance(answer, Refuse), answer
    return answer.reason


def serial_of(answer: object) -> str:
    return f"{x509.load_pem_x509_certificate(granted(answer).pem).serial_number:x}"


def approve_all(office: Office) -> int:
    return office.store.decide(office.store.pending(), JoinState.APPROVED)


def enrolled_seat(office: Office, host: str = "pc-1") -> tuple[Pc, Granted]:
    office.batch(host, "pc-2", "pc-3")
    seat = Pc(host)
    assert office.desk.enrol(TOKEN, seat.about, seat.request()) == Wait("site1/seat-01")
    assert approve_all(office) == 1
    return seat, granted(office.desk.enrol(TOKEN, seat.about, seat.request()))


def test_the_hub_and_not_the_machine_says_who_a_certificate_is_for(office: Office) -> None:
    office.claim()
    gateway = Pc("gw")
    answer = granted(office.desk.enrol(CODE, gateway.about, gateway.request()))
    certificate = x509.load_pem_x509_certificate(answer.pem)
    assert certificate.subject.rfc4514_string() == "CN=site1/gateway"
    assert certificate.public_key() == gateway.key.public_key()
    assert answer.not_after - answer.not_before == 30 * DAY
    assert office.steps() == [("site1/gateway", "enrolled")]
    assert office.changes == 1


def test_a_claim_code_is_taken_however_a_person_types_it(office: Office) -> None:
    office.claim()
    gateway = Pc("gw")
    typed = CODE.upper().replace("-", " ").replace("0", "O").replace("1", "l")
    assert granted(office.desk.enrol(typed, gateway.about, gateway.request())).identity == "site1/gateway"


def test_a_claim_code_is_for_one_key_and_a_lost_answer_may_be_asked_for_again(office: Office) -> None:
    office.claim()
    gateway, thief = Pc("gw"), Pc("gw", machine="thief")
    first = office.desk.enrol(CODE, gateway.about, gateway.request())
    assert reason(office.desk.enrol(CODE, thief.about, thief.request())) is Refusal.USED
    again = office.desk.enrol(CODE, gateway.about, gateway.request())
    assert serial_of(first) != serial_of(again)
    assert office.store.revoked(office.now) == {}


def test_a_claim_code_ends_after_fifteen_minutes(office: Office) -> None:
    office.claim()
    gateway = Pc("gw")
    office.now += 15 * MINUTE
    assert reason(office.desk.enrol(CODE, gateway.about, gateway.request())) is Refusal.EXPIRED


def test_a_new_claim_code_ends_the_one_before(office: Office) -> None:
    office.claim()
    office.store.add_claim("another digest", "site1/gateway", office.now, office.now + MINUTE, "root")
    gateway = Pc("gw")
    assert reason(office.desk.enrol(CODE, gateway.about, gateway.request())) is Refusal.UNKNOWN_CODE


def test_nobody_comes_in_by_a_name_that_is_speaking_and_it_is_an_alarm_when_that_goes_on(office: Office) -> None:
    #  heard ── asks: told to wait ── heard again ── asks: two machines
    office.claim()
    office.heard["site1/gateway"] = office.now - 29_000
    gateway = Pc("gw")
    assert reason(office.desk.enrol(CODE, gateway.about, gateway.request())) is Refusal.STILL_SPEAKING
    assert office.steps() == []
    office.now += 10_000
    office.heard["site1/gateway"] = office.now - 1
    assert reason(office.desk.enrol(CODE, gateway.about, gateway.request())) is Refusal.SEEN_TWICE
    assert office.steps() == [("site1/gateway", "seen_twice")]
    office.now += 30_000
    assert granted(office.desk.enrol(CODE, gateway.about, gateway.request())).identity == "site1/gateway"


def test_seats_wait_until_the_list_is_approved_once(office: Office) -> None:
    office.batch("pc-1", "pc-2")
    seats = [Pc("PC-1"), Pc("pc-2")]
    for seat in seats:
        assert isinstance(office.desk.enrol(TOKEN, seat.about, seat.request()), Wait)
        assert isinstance(office.desk.enrol(TOKEN, seat.about, seat.request()), Wait)
    assert [each.identity for each in office.store.pending()] == ["site1/seat-01", "site1/seat-02"]
    assert approve_all(office) == 2
    answers = [granted(office.desk.enrol(TOKEN, seat.about, seat.request())) for seat in seats]
    assert [(each.identity, each.seat) for each in answers] == [("site1/seat-01", "A-1"), ("site1/seat-02", "A-2")]


def test_a_batch_takes_known_hosts_from_known_addresses_up_to_its_count_until_it_ends(office: Office) -> None:
    office.batch("pc-1", "pc-2", "pc-3", count=1)

    def ask(seat: Pc) -> object:
        return office.desk.enrol(TOKEN, seat.about, seat.request())

    assert reason(ask(Pc("pc-9"))) is Refusal.UNKNOWN_HOST
    assert reason(ask(Pc("pc-1", address="198.51.100.1"))) is Refusal.WRONG_ADDRESS
    assert isinstance(ask(Pc("pc-1")), Wait)
    assert reason(ask(Pc("pc-2"))) is Refusal.FULL
    office.now += 8 * 60 * MINUTE
    assert reason(ask(Pc("pc-3"))) is Refusal.EXPIRED
    assert office.desk.refusals[Refusal.FULL] == 1


def test_a_machine_that_a_person_refused_stays_out(office: Office) -> None:
    office.batch("pc-1")
    seat = Pc("pc-1")
    office.desk.enrol(TOKEN, seat.about, seat.request())
    assert office.store.decide(office.store.pending(), JoinState.REFUSED) == 1
    assert reason(office.desk.enrol(TOKEN, seat.about, seat.request())) is Refusal.NOT_APPROVED


def test_what_was_approved_is_the_machine_on_the_list_and_no_other_of_its_name(office: Office) -> None:
    office.batch("pc-1")
    seat, other = Pc("pc-1"), Pc("pc-1", machine="another")
    office.desk.enrol(TOKEN, seat.about, seat.request())
    assert reason(office.desk.enrol(TOKEN, other.about, other.request())) is Refusal.OTHER_MACHINE
    approve_all(office)
    assert reason(office.desk.enrol(TOKEN, other.about, other.request())) is Refusal.OTHER_MACHINE
    assert granted(office.desk.enrol(TOKEN, seat.about, seat.request())).identity == "site1/seat-01"


def test_a_restored_disk_comes_back_by_host_and_machine_long_after_the_token_ended(office: Office) -> None:
    seat, first = enrolled_seat(office)
    office.now += 3 * DAY
    back = seat.restored()
    second = granted(office.desk.enrol(TOKEN, back.about, back.request()))
    assert second.identity == "site1/seat-01"
    assert set(office.store.revoked(office.now)) == {serial_of(first)}
    assert office.steps()[-1] == ("site1/seat-01", "returned")


def test_a_restored_disk_whose_identity_is_speaking_elsewhere_is_refused_and_alarmed(office: Office) -> None:
    seat, _ = enrolled_seat(office)
    office.now += 3 * DAY
    clone = seat.restored()
    for step_ms, expected in ((0, Refusal.STILL_SPEAKING), (10_000, Refusal.SEEN_TWICE)):
        office.now += step_ms
        office.heard["site1/seat-01"] = office.now - 1
        assert reason(office.desk.enrol(TOKEN, clone.about, clone.request())) is expected
    assert office.steps()[-1] == ("site1/seat-01", "seen_twice")


def test_the_same_collision_is_not_said_again_for_ten_minutes(office: Office) -> None:
    for _ in range(5):
        office.desk.doubled("site1/gateway")
    office.now += LIMITS.alarm_again_ms
    office.desk.doubled("site1/gateway")
    assert office.steps() == [("site1/gateway", "seen_twice")] * 2


def test_a_certificate_is_renewed_once_and_a_copy_that_renews_it_again_is_an_alarm(office: Office) -> None:
    office.claim()
    gateway = Pc("gw")
    first = serial_of(office.desk.enrol(CODE, gateway.about, gateway.request()))
    fresh, copy = gateway.restored(), gateway.restored()
    second = office.desk.renew(first, fresh.about, fresh.request())
    assert granted(second).identity == "site1/gateway"
    assert granted(office.desk.renew(first, fresh.about, fresh.request())).identity == "site1/gateway"
    assert reason(office.desk.renew(first, copy.about, copy.request())) is Refusal.SEEN_TWICE
    assert office.steps()[-1] == ("site1/gateway", "seen_twice")
    assert office.store.revoked(office.now) == {}


def test_a_seat_whose_image_holds_an_old_certificate_may_renew_it_every_morning(office: Office) -> None:
    seat, first = enrolled_seat(office)
    for _ in range(3):
        office.now += DAY
        morning = seat.restored()
        assert (
            granted(office.desk.renew(serial_of(first), morning.about, morning.request())).identity == "site1/seat-01"
        )


def test_a_seat_that_renews_under_a_colleagues_host_name_gets_no_step_nearer_to_the_colleagues_identity(
    office: Office,
) -> None:
    seat, first = enrolled_seat(office)
    colleague = Pc("pc-2")
    assert office.desk.enrol(TOKEN, colleague.about, colleague.request()) == Wait("site1/seat-02")
    approve_all(office)
    granted(office.desk.enrol(TOKEN, colleague.about, colleague.request()))
    office.heard["site1/seat-02"] = office.now
    posing = seat.restored()
    posing.about = seat.about._replace(host="pc-2")
    renewed = granted(office.desk.renew(serial_of(first), posing.about, posing.request()))
    assert renewed.identity == "site1/seat-01"
    as_colleague = colleague.about, posing.request()
    assert reason(office.desk.enrol(TOKEN, *as_colleague)) is Refusal.STILL_SPEAKING
    assert office.store.revoked(office.now) == {}
    said = [(body.identity, body.host) for _, body in office.store.unrecorded() if body.step.value == "renewed"]
    assert said == [("site1/seat-01", "pc-1")]


def test_a_revoked_identity_neither_renews_nor_comes_back(office: Office) -> None:
    seat, first = enrolled_seat(office)
    assert office.store.revoke("site1/seat-01", "stolen", "root", office.now) == 1
    assert reason(office.desk.renew(serial_of(first), seat.about, seat.request())) is Refusal.REVOKED
    assert reason(office.desk.enrol(TOKEN, seat.about, seat.request())) is Refusal.NOT_APPROVED
    assert office.store.valid(office.now) == {}
    assert office.steps()[-1] == ("site1/seat-01", "revoked")
    assert office.store.revoke("site1/seat-01", "stolen", "root", office.now) == 0


def test_a_revoked_gateway_does_not_come_back_by_the_code_it_came_in_with(office: Office) -> None:
    office.claim()
    gateway = Pc("gw")
    granted(office.desk.enrol(CODE, gateway.about, gateway.request()))
    office.store.revoke("site1/gateway", "stolen", "root", office.now)
    assert reason(office.desk.enrol(CODE, gateway.about, gateway.request())) is Refusal.UNKNOWN_CODE
    assert office.store.valid(office.now) == {}


def test_a_request_that_is_none_is_refused_before_anything_is_looked_up(office: Office) -> None:
    office.claim()
    gateway = Pc("gw")
    garbled = gateway.request().replace("M", "N", 1)
    assert reason(office.desk.enrol(CODE, gateway.about, garbled)) is Refusal.BAD_REQUEST
    assert reason(office.desk.enrol(CODE, gateway.about, "x" * 100_000)) is Refusal.BAD_REQUEST
    assert reason(office.desk.renew("1", gateway.about, "")) is Refusal.BAD_REQUEST


def test_what_was_recorded_is_not_offered_again(office: Office) -> None:
    enrolled_seat(office)
    ((ordinal, _),) = office.store.unrecorded()
    office.store.recorded(ordinal)
    assert office.store.unrecorded() == []
    assert office.store.steps() == {"enrolled": 1}


def test_certificates_that_have_run_out_are_forgotten_and_their_steps_still_counted(office: Office) -> None:
    seat, first = enrolled_seat(office)
    office.now += 30 * DAY
    office.store.forget_ended(office.now)
    assert office.store.issued(serial_of(first)) is None
    assert office.store.steps() == {"enrolled": 1}
    back = seat.restored()
    assert granted(office.desk.enrol(TOKEN, back.about, back.request())).identity == "site1/seat-01"
    assert office.steps()[-1] == ("site1/seat-01", "returned")


def test_an_ordinal_of_the_record_is_never_used_again(office: Office) -> None:
    enrolled_seat(office)
    office.store.recorded(1)
    office.desk.doubled("site1/seat-01")
    assert [ordinal for ordinal, _ in office.store.unrecorded()] == [2]
