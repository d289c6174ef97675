"""The commands an operator types to let machines in and to end an identity."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from collector.enrolment._core.codes import digest
from collector.enrolment._core.desk import JoinState
from collector.enrolment.errors import EnrolmentError
from collector.enrolment.store import EnrolmentStore, Issued, Pending
from seatwatch import cli
from seatwatch.config import ConfigError, read_config
from seatwatch.enrolment_job import _networks
from seatwatch.server.enrolment import Enrolment
from seatwatch.settings import load_defaults
from tests.collector.running import running_hub
from tests.waiting import wait_until
from wire.identity import IdentityStep

CONFIG = """
[server]
data = "data"
[enrolment]
hosts = ["hub.example.com"]
[[site]]
id = "site1"
seats = 2
"""
ROSTER = "seat,site,host,effective_from\nA-2,site1,PC-2,2026-11-01\nA-1,site1,PC-1,2026-11-01\n"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command over a hub with an authority; its code and everything it printed."""
    (tmp_path / "seatwatch.toml").write_text(CONFIG, encoding="utf-8")

    def command(*arguments: str) -> tuple[int, str]:
        code = cli.run(arguments)
        said = capsys.readouterr()
        return code, said.out + said.err

    assert command("authority", "init", "--data", str(tmp_path / "data"))[0] == 0
    return command


def at(tmp_path: Path) -> tuple[str, str]:
    return "--config", str(tmp_path / "seatwatch.toml")


def store(tmp_path: Path) -> EnrolmentStore:
    return EnrolmentStore(tmp_path / "data" / "authority", lock_wait_s=1)


def code_in(said: str) -> str:
    found = re.search(r"--code (\S+)", said)
    assert found, said
    return found[1]


def with_roster(tmp_path: Path, run: Run, roster: str = ROSTER) -> None:
    (tmp_path / "roster.csv").write_text(roster, encoding="utf-8")
    assert run("roster", "import", str(tmp_path / "roster.csv"), "--data", str(tmp_path / "data"))[0] == 0


def test_an_authority_is_made_once_and_shown(tmp_path: Path, run: Run) -> None:
    data = str(tmp_path / "data")
    code, shown = run("authority", "show", "--data", data)
    assert code == 0
    assert re.search(r"^fingerprint [0-9a-f]{64}$", shown, re.MULTILINE)
    assert run("authority", "init", "--data", data)[0] == 1
    assert run("authority", "show", "--data", str(tmp_path / "elsewhere"))[0] == 1


def test_a_claim_prints_what_to_type_on_the_gateway_with_the_pin(tmp_path: Path, run: Run) -> None:
    code, said = run("enrol", "claim", *at(tmp_path), "--site", "site1")
    assert code == 0
    assert "--hub https://hub.example.com:8743 --pin " in said
    claim = store(tmp_path).claim(digest(code_in(said)))
    assert claim is not None
    assert claim.identity == "site1/gateway"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("claim", "--site", "site9"), "which knows site1"),
        (("claim", "--site", "site1", "--probe", "seat-09"), "site1/gateway to site1/seat-02"),
        (("batch", "--site", "site1", "--count", "2", "--cidr", "10.0.0.0/8"), "names no host"),
    ],
)
def test_what_the_configuration_or_roster_does_not_know_is_said(
    tmp_path: Path, run: Run, arguments: tuple[str, ...], says: str
) -> None:
    code, said = run("enrol", *arguments, *at(tmp_path))
    assert code == 1
    assert says in said


def test_a_batch_takes_its_host_names_from_the_roster_and_each_keeps_its_identity(tmp_path: Path, run: Run) -> None:
    with_roster(tmp_path, run)
    batch = ("batch", *at(tmp_path), "--site", "site1", "--count", "2", "--cidr", "203.0.113.0/29")
    assert run("enrol", *batch)[0] == 0
    said = run("enrol", *batch)[1]
    found = store(tmp_path).batch(digest(code_in(said)))
    assert found is not None
    assert (found.size, found.cidrs) == (2, ("203.0.113.0/29",))
    assert store(tmp_path).places("site1") == {"pc-1": ("site1/seat-01", "A-1"), "pc-2": ("site1/seat-02", "A-2")}
    code, refused = run("enrol", *batch[:-1], "203.0.113.1/29")
    assert (code, "--cidr" in refused) == (1, True)
    assert run("enrol", *batch, "--for", "13h")[0] == 1
    for everybody in ("0.0.0.0/0", "::/0", "128.0.0.0/1"):
        code, refused = run("enrol", *batch[:-1], everybody)
        assert (code, f"--cidr: {everybody} is everybody" in refused) == (1, True)


def test_a_network_as_a_listener_on_ipv6_calls_it_is_the_ipv4_network_it_stands_for() -> None:
    assert _networks(["::ffff:203.0.113.0/120", "2001:db8::/32"]) == ("203.0.113.0/24", "2001:db8::/32")
    with pytest.raises(EnrolmentError, match=r"0\.0\.0\.0/0 is everybody"):
        _networks(["::ffff:0:0/96"])


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (("--count", "0", "--cidr", "203.0.113.0/29"), "--count 0: from 1 machine to the 2 seats of site1"),
        (("--count", "3", "--cidr", "203.0.113.0/29"), "--count 3: from 1 machine to the 2 seats of site1"),
        (("--count", str(10**20), "--cidr", "203.0.113.0/29"), "from 1 machine to the 2 seats of site1"),
        (("--count", "2", "--cidr", "203.0.113.0/29", "--for", "721min"), "at most 12h"),
        (("--count", "2", "--cidr", "203.0.113.0/29", "--for", "0h"), "at most 12h"),
        (("--count", "2", "--cidr", "0.0.0.0/0"), "everybody, and no site"),
        (("--count", "2", "--cidr", "203.0.113.7/24"), "write it as 203.0.113.0/24"),
    ],
)
def test_a_batch_that_lets_in_more_than_a_days_seats_of_one_site_is_refused(
    tmp_path: Path, run: Run, wanted: tuple[str, ...], says: str
) -> None:
    with_roster(tmp_path, run)
    code, said = run("enrol", "batch", *at(tmp_path), "--site", "site1", *wanted)
    assert (code, says in said) == (1, True), said
    assert store(tmp_path).live_batches(["pc-1", "pc-2"], 0) == {}


def test_two_seats_of_one_host_name_are_told_apart_by_nobody_and_named(tmp_path: Path, run: Run) -> None:
    with_roster(tmp_path, run, ROSTER.replace("PC-2", "pc-1"))
    code, refused = run("enrol", "batch", *at(tmp_path), "--site", "site1", "--count", "2", "--cidr", "203.0.113.0/29")
    assert (code, "gives the host name pc-1 to A-1 and A-2" in refused) == (1, True)


def test_a_second_batch_for_the_same_hosts_is_drawn_and_names_the_first(tmp_path: Path, run: Run) -> None:
    with_roster(tmp_path, run)
    batch = ("batch", *at(tmp_path), "--site", "site1", "--count", "2", "--cidr", "203.0.113.0/29")
    said = run("enrol", *batch)[1]
    assert "WARNING" not in said
    first = store(tmp_path).batch(digest(code_in(said)))
    assert first is not None
    assert f"WARNING: batch {first.name} lets the same hosts in too, until" in run("enrol", *batch)[1]
    assert first.name not in store(tmp_path).live_batches(["pc-1"], first.expires_at), "it has ended by then"
    assert store(tmp_path).live_batches(["pc-9"], 0) == {}


def test_a_list_is_shown_approved_and_gone(tmp_path: Path, run: Run) -> None:
    with_roster(tmp_path, run)
    _, said = run("enrol", "batch", *at(tmp_path), "--site", "site1", "--count", "2", "--cidr", "203.0.113.0/29")
    batch = store(tmp_path).batch(digest(code_in(said)))
    assert batch is not None
    for number in (1, 2):
        waiting = Pending(batch.name, f"pc-{number}", f"site1/seat-0{number}", "ab" * 32, "203.0.113.1", 1)
        store(tmp_path).wait(waiting, "key")
    assert "site1/seat-02" in run("enrol", "pending", *at(tmp_path))[1]
    assert run("enrol", "refuse", *at(tmp_path), batch.name, "--host", "PC-2")[1].endswith("1 refused\n")
    assert run("enrol", "approve", *at(tmp_path), batch.name)[1].endswith("1 approved\n")
    assert run("enrol", "pending", *at(tmp_path)) == (0, "nobody waits\n")
    assert run("enrol", "approve", *at(tmp_path), "site1-mistyped") == (1, "nobody waits\n0 approved\n")
    code, said = run("enrol", "approve", *at(tmp_path), batch.name, "--host", "PC-9")
    assert (code, f"pc-9 does not wait in {batch.name}" in said) == (1, True)
    states = [store(tmp_path).join(batch.name, f"pc-{number}") for number in (1, 2)]
    assert [each and each.state for each in states] == [JoinState.APPROVED, JoinState.REFUSED]


def test_an_identity_that_is_revoked_leaves_its_step_for_the_record(tmp_path: Path, run: Run) -> None:
    issued = Issued("ab", "site1/gateway", "key", "machine", "gw", "", 1, 1 << 45)
    store(tmp_path).issue(issued, IdentityStep.ENROLLED, replaces=True)
    assert run("enrol", "revoke", *at(tmp_path), "site1/gateway", "--reason", "stolen")[0] == 0
    assert store(tmp_path).revoked(2).keys() == {"ab"}
    assert store(tmp_path).unrecorded()[-1][1].reason == "stolen"
    assert run("enrol", "revoke", *at(tmp_path), "site1/gateway")[0] == 1


async def test_an_identity_of_no_configured_site_is_named_by_the_server_that_turns_it_away(
    tmp_path: Path, run: Run
) -> None:
    del run
    for serial, identity in (("ab", "site1/gateway"), ("cd", "site9/gateway")):
        issued = Issued(serial, identity, f"key {serial}", "machine", serial, "", 1, 1 << 45)
        store(tmp_path).issue(issued, IdentityStep.ENROLLED, replaces=True)
    config = read_config(tmp_path / "seatwatch.toml")
    async with running_hub(tmp_path / "hub") as hub:
        enrolment = Enrolment(config, tmp_path, tmp_path / "data", load_defaults(), hub.intake)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(enrolment.run(), name="enrolment")
            await wait_until(lambda: bool(hub.intake.strangers.names()), what="the stranger")
            running.cancel()
        assert hub.intake.strangers.names() == ["site9/gateway"]


def as_the_page_shows(tmp_path: Path) -> str:
    """The page's configuration with its machine-wide folders under tmp_path, and a site."""
    page = (Path(cli.__file__).parents[1] / "docs" / "operate" / "enrol.md").read_text(encoding="utf-8")
    shown = page.partition("```toml\n")[2].partition("```")[0]
    plugin = tmp_path / "plugin.so"
    plugin.touch()
    section = f'[enrolment]\nbroker_plugin = "{plugin}"'
    text = shown.replace("/etc/seatwatch", str(tmp_path)).replace("/run/mosquitto", str(tmp_path))
    site = '[[site]]\nid = "site1"\nseats = 2\n'
    return f'[server]\ndata = "data"\n{text.replace("[enrolment]", section)}\n{site}'


def test_the_first_start_goes_as_the_page_says_from_an_empty_broker_folder(tmp_path: Path, run: Run) -> None:
    (tmp_path / "seatwatch.toml").write_text(as_the_page_shows(tmp_path), encoding="utf-8")
    (tmp_path / "broker").mkdir()
    assert run("check-config", str(tmp_path / "seatwatch.toml"))[0] == 0
    code, said = run("roster", "apply", *at(tmp_path))
    assert (code, "the broker does not run; it starts with these files" in said) == (0, True)
    assert (tmp_path / "broker" / "ca.pem").is_file()


def test_a_file_of_an_authority_that_nobody_will_write_is_still_missed(tmp_path: Path, run: Run) -> None:
    text = as_the_page_shows(tmp_path).replace("broker/ca.pem", "broker/other.pem")
    (tmp_path / "seatwatch.toml").write_text(text, encoding="utf-8")
    (tmp_path / "broker").mkdir()
    code, said = run("roster", "apply", *at(tmp_path))
    assert (code, "mqtt.ca_file: no file" in said) == (2, True)


LONG_HOST = f"hub-{'a' * 40}.{'b' * 40}.example.com"
"""Longer than the subject of a certificate may be; a name of 253 characters is one."""


@pytest.mark.parametrize(
    ("wanted", "key", "says"),
    [
        ('hosts = ["https://hub.example.com"]', "enrolment.hosts", "is no host"),
        ('hosts = ["hub example"]', "enrolment.hosts", "is no host"),
        ('hosts = ["münchen.example"]', "enrolment.hosts", "write it as xn--mnchen-3ya.example"),
        ('broker_listen = "somewhere"', "enrolment.broker_listen", "is no address"),
        ('broker_listen = "0.0.0.0\\nallow_anonymous true"', "enrolment.broker_listen", "is no address"),
        ('broker_log = "a\\nallow_anonymous true"', "enrolment.broker_log", "the name of a file"),
        ("broker_port = 0", "enrolment.broker_port", "a whole number from 1 to 65535"),
    ],
)
def test_what_the_brokers_file_or_a_certificate_cannot_hold_is_refused_by_its_key(
    tmp_path: Path, run: Run, wanted: str, key: str, says: str
) -> None:
    (tmp_path / "broker").mkdir()
    text = as_the_page_shows(tmp_path)
    name = wanted.partition(" ")[0]
    lines = [line for line in text.splitlines() if not line.startswith(f"{name} ")]
    lines.insert(lines.index("[enrolment]") + 1, wanted)
    (tmp_path / "seatwatch.toml").write_text("\n".join(lines), encoding="utf-8")
    code, said = run("roster", "apply", *at(tmp_path))
    assert (code, key in said, says in said) == (2, True, True), said
    assert not [*(tmp_path / "broker").iterdir()]


def test_a_hub_of_a_long_name_has_it_in_the_brokers_certificate(tmp_path: Path, run: Run) -> None:
    (tmp_path / "broker").mkdir()
    text = as_the_page_shows(tmp_path).replace("hub.example.com", LONG_HOST)
    (tmp_path / "seatwatch.toml").write_text(text, encoding="utf-8")
    assert run("roster", "apply", *at(tmp_path))[0] == 0
    certificate = x509.load_pem_x509_certificate((tmp_path / "broker" / "server.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [LONG_HOST]


def test_a_damaged_store_is_named_with_what_to_do(tmp_path: Path, run: Run) -> None:
    (tmp_path / "broker").mkdir()
    (tmp_path / "seatwatch.toml").write_text(as_the_page_shows(tmp_path), encoding="utf-8")
    (tmp_path / "data" / "authority" / "enrolment.sqlite").write_bytes(b"no database" * 500)
    for command in (("roster", "apply"), ("enrol", "pending")):
        code, said = run(*command, *at(tmp_path))
        assert (code, "enrolment.sqlite cannot be used" in said, "restore it" in said) == (1, True, True), said


async def test_a_server_with_a_damaged_store_says_so_and_does_not_start(tmp_path: Path, run: Run) -> None:
    del run
    (tmp_path / "data" / "authority" / "enrolment.sqlite").write_bytes(b"no database" * 500)
    config = read_config(tmp_path / "seatwatch.toml")
    async with running_hub(tmp_path / "hub") as hub:
        with pytest.raises(ConfigError, match="sqlite cannot be used"):
            Enrolment(config, tmp_path, tmp_path / "data", load_defaults(), hub.intake)
