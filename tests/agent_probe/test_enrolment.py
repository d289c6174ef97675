"""A machine gets its identity from a real door, keeps it, renews it, and its configuration takes it up."""

import asyncio
import stat
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from agent_probe.config import EnrolmentConfig, ProbeConfig, parse_config
from agent_probe.doctor.door import known_door, look_at_door
from agent_probe.doctor.endpoints import Waits
from agent_probe.doctor.examination import DoctorSettings, examine
from agent_probe.doctor.findings import Because, Outcome, Subject
from agent_probe.enrolment.client import EnrolmentRefused, Hub
from agent_probe.enrolment.enrolling import About, Enrolling, EnrolmentSettings, about_this_machine
from agent_probe.enrolment.identity import (
    NEXT_KEY_FILE,
    PAIR_FILE,
    Identity,
    identity_folder,
    read_identity,
    with_identity,
    write_identity,
)
from agent_probe.enrolment.renewal import RenewalSettings, keep_renewed
from agent_probe.errors import ProbeConfigError, ProbeUnavailable
from agent_probe.platform import current
from collector.enrolment._core.codes import digest
from collector.enrolment._core.desk import Batch, JoinState
from collector.enrolment.store import Place
from seatwatch.probe import enrolment as probe_enrolment
from tests.agent_probe.living_probe import SETTINGS as PROBE_SETTINGS
from tests.collector.enrolment.doors import Door
from tests.collector.enrolment.machines import CODE, DAY, MINUTE, TOKEN
from tests.waiting import wait_until

SETTINGS = EnrolmentSettings(timeout_ms=5_000, retry_ms=10)
QUICK = PROBE_SETTINGS._replace(uplink=PROBE_SETTINGS.uplink._replace(connect_ms=500))
SEAT = About("PC-1", "ab" * 32)
IMAGE = 'site = "site1"\ndata_dir = "{data}"\n[broker]\nhost = "hub"\n'


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    made = Door(tmp_path / "hub")
    await made.open()
    yield made
    await made.runner.cleanup()
    made.office.store.close()


def machine(
    folder: Path,
    *,
    about: About = SEAT,
    waited: Callable[[float], None] | None = None,
    said: list[str] | None = None,
) -> Enrolling:
    said = [] if said is None else said
    wait = waited or (lambda _: None)
    return Enrolling(folder, about, SETTINGS, say=said.append, is_patient=waited is not None, wait=wait)


def pin(door: Door) -> str:
    return door.office.desk.authority.fingerprint


def config(directory: Path, more: str = "") -> ProbeConfig:
    return parse_config(more + IMAGE.format(data=directory))


async def test_a_machine_makes_its_key_itself_and_keeps_it_to_itself(door: Door, tmp_path: Path) -> None:
    door.office.claim()
    folder = tmp_path / "identity"
    identity = await asyncio.to_thread(machine(folder).enrol, door.url, pin(door), CODE)
    assert identity == read_identity(folder)
    assert identity.identity == "site1/gateway"
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not (folder / NEXT_KEY_FILE).exists()


async def test_a_hub_with_another_authority_than_the_pin_is_not_talked_to(door: Door, tmp_path: Path) -> None:
    door.office.claim()
    with pytest.raises(ProbeConfigError, match="the authority there is"):
        await asyncio.to_thread(machine(tmp_path / "i").enrol, door.url, "00" * 32, CODE)
    assert door.office.store.unrecorded() == []


async def test_a_seat_waits_for_its_approval_and_gets_name_and_seat_from_the_roster(door: Door, tmp_path: Path) -> None:
    store, now = door.office.store, door.office.now
    places = {"pc-1": Place("site1/seat-01", "A-1")}
    store.add_batch(Batch("b", "site1", 5, now + MINUTE, ("127.0.0.0/8",)), digest(TOKEN), places, now, "root")
    asked: list[float] = []
    loop = asyncio.get_running_loop()

    def approve() -> None:
        store.decide(store.pending(), JoinState.APPROVED)

    def waited(seconds: float) -> None:
        asked.append(seconds)
        if len(asked) == 2:
            asyncio.run_coroutine_threadsafe(_call(approve), loop).result()

    said: list[str] = []
    seat = machine(tmp_path / "identity", waited=waited, said=said)
    identity = await asyncio.to_thread(seat.enrol, door.url, pin(door), TOKEN)
    assert (identity.identity, identity.seat) == ("site1/seat-01", "A-1")
    assert asked == [30.0, 30.0]
    assert said == ["a person has to approve this machine; waiting"], "once, however long it takes"
    completed = with_identity(config(tmp_path), current())
    assert (completed.source, completed.seat) == ("site1/seat-01", "A-1")
    assert completed.broker.tls is not None
    assert completed.broker.tls.cert_file == str(tmp_path / "identity" / PAIR_FILE)


async def _call(what: Callable[[], None]) -> None:
    what()


async def test_a_certificate_is_exchanged_for_the_next_and_a_copy_of_the_machine_is_refused_that(
    door: Door, tmp_path: Path
) -> None:
    door.office.claim()
    folder = tmp_path / "identity"
    first = await asyncio.to_thread(machine(folder).enrol, door.url, pin(door), CODE)
    before = (folder / PAIR_FILE).read_bytes()
    door.office.now += MINUTE
    second = await asyncio.to_thread(machine(folder).renew)
    after = (folder / PAIR_FILE).read_bytes()
    assert second.not_after == first.not_after + MINUTE
    assert before != after
    (folder / PAIR_FILE).write_bytes(before)  # a copy of the disk from before
    with pytest.raises(EnrolmentRefused, match="two machines"):
        await asyncio.to_thread(machine(folder).renew)


def enrolled_by_token(door: Door, directory: Path) -> tuple[Path, Callable[[str], int]]:
    """The file of a seat that has come in by a batch token, and what does a verb for it as the daemon would."""
    about, store, now = about_this_machine("site1", current().machine_id()), door.office.store, door.office.now
    places = {about.host.casefold(): Place("site1/seat-01", "A-1")}
    store.add_batch(Batch("b", "site1", 5, now + MINUTE, ("127.0.0.0/8",)), digest(TOKEN), places, now, "root")
    (directory / "batch.token").write_text(TOKEN, encoding="ascii")
    file = directory / "probe.toml"
    stated = f'[enrolment]\nhub = "{door.url}"\npin = "{pin(door)}"\ntoken_file = "batch.token"\n'
    file.write_text(IMAGE.format(data=directory) + stated, encoding="utf-8")

    def do(verb: str) -> int:
        return probe_enrolment.run(verb, ["--config", str(file), *(["--once"] if verb == "enrol" else [])])

    return file, do


@pytest.mark.parametrize("lost", ["ended", "forgotten", "replaced"])
async def test_a_seat_whose_certificate_is_of_no_use_any_more_comes_back_by_its_batch_token(
    door: Door, tmp_path: Path, lost: str
) -> None:
    store = door.office.store
    _, do = enrolled_by_token(door, tmp_path)
    assert await asyncio.to_thread(do, "enrol") == 1, "it waits"
    store.decide(store.pending(), JoinState.APPROVED)
    assert await asyncio.to_thread(do, "enrol") == 0
    folder = tmp_path / "identity"
    first = (folder / PAIR_FILE).read_bytes()
    identity = read_identity(folder)
    assert identity is not None
    if lost == "ended":  # it was off for longer than its certificate held
        about = msgspec.json.encode(replace(identity, not_after=door.office.now - 1))
        (folder / "identity.json").write_bytes(about)
    elif lost == "forgotten":  # the hub was restored from a backup of before
        store.forget_ended(identity.not_after)
    else:  # its disk went back to before
        (folder / NEXT_KEY_FILE).unlink(missing_ok=True)
        kept = {path: path.read_bytes() for path in folder.iterdir()}
        (folder / "identity.json").unlink()
        assert await asyncio.to_thread(do, "enrol") == 0
        for path, content in kept.items():
            path.write_bytes(content)
    assert await asyncio.to_thread(do, "renew") == 0
    assert (folder / PAIR_FILE).read_bytes() != first
    again = read_identity(folder)
    assert again is not None
    assert (again.identity, again.not_after > door.office.now) == ("site1/seat-01", True)


async def test_who_has_no_token_is_told_that_its_certificate_ended_and_who_was_revoked_stays_out(
    door: Door, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = door.office.store
    file, do = enrolled_by_token(door, tmp_path)
    await asyncio.to_thread(do, "enrol")
    store.decide(store.pending(), JoinState.APPROVED)
    assert await asyncio.to_thread(do, "enrol") == 0
    store.revoke("site1/seat-01", "stolen", "root", door.office.now)
    assert await asyncio.to_thread(do, "renew") == 1
    assert "refused by a person" in capsys.readouterr().err
    identity = read_identity(tmp_path / "identity")
    assert identity is not None
    (tmp_path / "identity" / "identity.json").write_bytes(msgspec.json.encode(replace(identity, not_after=1)))
    file.write_text(IMAGE.format(data=tmp_path), encoding="utf-8")
    assert await asyncio.to_thread(do, "renew") == 2
    assert "has ended\n  fix: look at this machine's clock" in capsys.readouterr().err


async def test_a_clock_that_is_wrong_is_thought_of_where_certificates_seem_out_of_time(tmp_path: Path) -> None:
    made = Door(tmp_path / "hub")
    made.office.now += 365 * DAY  # to whom is asked, ours is a year behind
    await made.open()
    made.office.claim()
    with pytest.raises(ProbeUnavailable, match=r"not yet valid.*; is the clock of this machine right\?"):
        await asyncio.to_thread(machine(tmp_path / "i").enrol, made.url, pin(made), CODE)
    await made.runner.cleanup()
    made.office.store.close()


async def test_a_refusal_is_final_unless_the_hub_says_when_to_come_again(door: Door, tmp_path: Path) -> None:
    door.office.claim()
    door.office.heard["site1/gateway"] = door.office.now

    def waited(seconds: float) -> None:
        assert seconds == 30.0
        door.office.now += 31_000

    with pytest.raises(EnrolmentRefused, match="no such code"):
        await asyncio.to_thread(machine(tmp_path / "i", waited=waited).enrol, door.url, pin(door), "wrong")
    patient = machine(tmp_path / "identity", waited=waited)
    assert (await asyncio.to_thread(patient.enrol, door.url, pin(door), CODE)).identity == "site1/gateway"


def test_a_hub_that_is_away_is_said_and_asked_again_while_there_is_patience(tmp_path: Path) -> None:
    with pytest.raises(ProbeUnavailable, match=r"127\.0\.0\.1:9"):
        machine(tmp_path).enrol("https://127.0.0.1:9", "00", CODE)


@pytest.mark.parametrize("url", ["hub", "http://hub", "https://", "https://hub:99999999", "https://hub..example"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ProbeConfigError, match="--hub"):
        Hub.at(url)


def test_the_hub_is_told_a_digest_that_differs_from_site_to_site(tmp_path: Path) -> None:
    digests = {about_this_machine(site, identity).machine for site in "ab" for identity in "cd"}
    assert len(digests) == 4
    assert all(len(each) == 64 for each in digests)


@pytest.mark.parametrize("machine_id", ["", "uninitialized"])
def test_a_machine_that_was_not_given_an_id_yet_is_not_taken_for_every_other_one_of_its_image(machine_id: str) -> None:
    with pytest.raises(ProbeConfigError, match="systemd-machine-id-setup"):
        about_this_machine("site1", machine_id)


def identity_at(directory: Path, name: str = "site1/seat-01") -> None:
    about = Identity(name, "A-1", "https://hub", 0, 30 * DAY)
    write_identity(directory / "identity", about, "certificate", "key", "authority")


@pytest.mark.parametrize(
    ("text", "name", "key"),
    [
        ('probe = "seat-02"\n', "site1/seat-01", "probe"),
        ("", "site2/seat-01", "probe"),
        ("", "", "probe"),
        ('probe = "seat-02"\n', "", "seat"),
    ],
)
def test_a_configuration_that_is_not_this_machines_is_refused(tmp_path: Path, text: str, name: str, key: str) -> None:
    if name:
        identity_at(tmp_path, name)
    with pytest.raises(ProbeConfigError) as refused:
        with_identity(config(tmp_path, text), current())
    assert refused.value.key == key


def test_files_that_the_configuration_names_itself_stand(tmp_path: Path) -> None:
    identity_at(tmp_path)
    own = config(tmp_path).broker
    text = IMAGE.format(data=tmp_path) + '[broker.tls]\nca_file = "ca"\ncert_file = "c"\nkey_file = "k"\n'
    completed = with_identity(parse_config(text), current()).broker
    assert own.tls is None
    assert completed.tls is not None
    assert (completed.tls.ca_file, completed.tls.cert_file) == ("ca", "c")


@pytest.mark.parametrize(
    ("url", "shows"),
    [("https://hub", True), ("https://HUB:443/", True), ("https://hub:8743", False), ("https://proxy", False)],
)
def test_over_https_the_certificate_is_shown_where_it_was_given_and_to_no_proxy_in_front(
    tmp_path: Path, url: str, *, shows: bool
) -> None:
    identity_at(tmp_path)
    text = IMAGE.format(data=tmp_path) + f'[hub]\nurl = "{url}"\n'
    completed = with_identity(parse_config(text), current()).hub
    assert completed is not None
    pair = str(identity_folder(config(tmp_path), current()) / PAIR_FILE)
    assert (completed.tls is not None and completed.tls.cert_file == completed.tls.key_file == pair) is shows


def test_an_identity_that_is_not_whole_is_none(tmp_path: Path) -> None:
    identity_at(tmp_path)
    folder = identity_folder(config(tmp_path), current())
    assert read_identity(folder) is not None
    (folder / PAIR_FILE).unlink()
    assert read_identity(folder) is None


async def test_renewal_is_due_at_two_thirds_and_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    identity_at(tmp_path)
    now = 20 * DAY - 1
    mark = tmp_path / "renewed"
    command = [sys.executable, "-c", f"open({str(mark)!r}, 'a').write('x')"]
    settings = RenewalSettings(check_ms=5, deadline_ms=5_000, poll_ms=5, left_parts=3)
    is_refused = False
    async with asyncio.TaskGroup() as tasks:
        renewing = tasks.create_task(
            keep_renewed(tmp_path / "identity", command, settings, lambda: now, lambda: is_refused), name="renewal"
        )
        await asyncio.sleep(0)
        assert not mark.exists()
        is_refused = True
        await wait_until(mark.exists, what="a renewal because the broker knows us no more")
        is_refused = False
        mark.unlink()
        now += 1
        await wait_until(mark.exists, what="a renewal")
        renewing.cancel()


async def looked_at(door: Door, config: ProbeConfig) -> list[tuple[Subject, Outcome, Because]]:
    known = known_door(config, current())
    assert known is not None
    return [(each.subject, each.outcome, each.because) for each in await look_at_door(known, Waits(2_000, 50))]


async def test_the_doctor_looks_at_the_door_of_a_machine_that_is_not_enrolled_and_at_its_pin(
    door: Door, tmp_path: Path
) -> None:
    for named, outcome, because in (
        (pin(door), Outcome.OK, Because.SEEN),
        ("00" * 32, Outcome.PROBLEM, Because.TLS_PIN),
        ("", Outcome.SKIPPED, Because.NOTHING_SET),
    ):
        image = config(tmp_path, "")
        image = replace(image, enrolment=EnrolmentConfig(door.url, named))
        assert await looked_at(door, image) == [
            (Subject.NAME, Outcome.OK, Because.SEEN),
            (Subject.PORT, Outcome.OK, Because.SEEN),
            (Subject.TLS, outcome, because),
            (Subject.IDENTITY, Outcome.PROBLEM, Because.IDENTITY_MISSING),
        ]
    assert known_door(config(tmp_path), current()) is None, "it has its identity from files"


async def test_the_doctor_looks_at_the_door_where_an_enrolled_machine_renews_and_at_its_clock(
    door: Door, tmp_path: Path
) -> None:
    door.office.claim()
    await asyncio.to_thread(machine(tmp_path / "identity").enrol, door.url, pin(door), CODE)
    image = config(tmp_path, 'role = "gateway"\n')
    assert await looked_at(door, image) == [
        (subject, Outcome.OK, Because.SEEN) for subject in (Subject.NAME, Subject.PORT, Subject.TLS)
    ]
    ahead = door.office.now + DAY
    doctor = DoctorSettings(clock_limit_ms=2_000, listen_ms=50)
    findings = await examine(
        with_identity(image, current()),
        QUICK,
        doctor,
        current(),
        door=known_door(image, current()),
        now_ms=lambda: ahead,
    )
    (clock,) = (each for each in findings if each.subject is Subject.CLOCK)
    assert (clock.because, clock.values["offset"][:4]) == (Because.CLOCK_WRONG, "+863")
