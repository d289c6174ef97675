"""A gateway from its claim code to its revocation, every part of it real: hub, Mosquitto, probe, commands."""

import io
import platform
import re
import shutil
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from collector.ledgers import ledger_directory
from ledger.reader import LedgerReader
from ledger.recorded import recorded
from seatwatch import __version__
from seatwatch.__main__ import main
from tests.collector.store import frame
from tests.integration.enrolled_broker import mosquitto
from tests.integration.running import Running, board, get, seatwatch, server
from tests.servers import Server, free_port, running
from tests.waiting import wait_until_blocking
from wire.codec import encode_frame
from wire.identity import IdentitySaid, IdentityStep
from wire.ids import OPERATOR

REVOKED_WITHIN_S = 60.0


class Hub:
    """A configured hub whose broker is set up by `roster apply`, not running yet."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.door, self.port = free_port(), free_port()
        (directory / "broker").mkdir()
        self.text = f"""
[server]
port = 0
[mqtt]
host = "127.0.0.1"
port = {self.port}
tls = true
ca_file = "broker/ca.pem"
[enrolment]
hosts = ["127.0.0.1"]
listen = "127.0.0.1"
port = {self.door}
broker_dir = "broker"
broker_listen = "127.0.0.1"
broker_port = {self.port}
broker_pid_file = "mosquitto.pid"
broker_log = "denied.log"
[[site]]
id = "site1"
seats = 2
"""
        self.config = directory / "seatwatch.toml"
        self.config.write_text(self.text.replace('ca_file = "broker/ca.pem"', ""), encoding="utf-8")
        self.command("authority", "init", "--data", str(self.data))
        self.command("roster", "apply", *self.at)
        self.broker: Server = mosquitto(directory, directory / "broker", self.port)

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def at(self) -> tuple[str, str, str, str]:
        return "--config", str(self.config), "--data", str(self.data)

    def command(self, *arguments: str) -> str:
        """What it prints. Run in this process: a process each would start for a second, a dozen times."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(arguments)
        assert code == 0, out.getvalue() + err.getvalue()
        return out.getvalue()

    def probe_config(self, name: str = "gateway") -> Path:
        path = self.directory / f"{name}.toml"
        path.write_text(
            f'site = "site1"\nrole = "gateway"\ndata_dir = "{self.directory / name}"\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {self.port}\n',
            encoding="utf-8",
        )
        return path

    def enrol(self, config: Path) -> None:
        said = self.command("enrol", "claim", *self.at, "--site", "site1")
        typed = re.search(r"--pin (\S+) --code (\S+)", said)
        assert typed is not None, said
        url = f"https://127.0.0.1:{self.door}"
        self.command("probe", "enrol", "--config", str(config), "--hub", url, "--pin", typed[1], "--code", typed[2])

    def seat_image(self) -> Path:
        """The configuration of a seat that gets name and seat from the hub, by a token for this machine's host name."""
        host = platform.node().partition(".")[0]
        (self.directory / "roster.csv").write_text(f"seat,site,host,effective_from\nA-1,site1,{host},2026-11-01\n")
        self.command("roster", "import", str(self.directory / "roster.csv"), "--data", str(self.data))
        said = self.command(
            "enrol", "batch", *self.at, "--site", "site1", "--count", "1", "--cidr", "127.0.0.0/8", "--for", "1h"
        )
        typed = re.search(r"--pin (\S+) --code (\S+)", said)
        assert typed is not None, said
        (self.directory / "token").write_text(typed[2], encoding="utf-8")
        path = self.directory / "seat.toml"
        path.write_text(
            f'site = "site1"\ndata_dir = "{self.directory / "seat"}"\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {self.port}\n'
            f'[enrolment]\nhub = "https://127.0.0.1:{self.door}"\npin = "{typed[1]}"\n'
            'token_file = "token"\n',
            encoding="utf-8",
        )
        return path

    def waiting_batch(self) -> str:
        """The batch of the machine that waits."""
        return self.command("enrol", "pending", *self.at).partition(" ")[0]

    def copied(self, config: Path) -> Path:
        """The configuration of a machine whose disk is a copy of the seat's."""
        shutil.copytree(self.directory / "seat" / "identity", self.directory / "copy" / "identity")
        path = self.directory / "copy.toml"
        path.write_text(config.read_text("utf-8").replace(str(self.directory / "seat"), str(self.directory / "copy")))
        return path

    def over_https(self, name: str, source: str) -> int:
        """The status of an empty frame, posted at the enrolment door with the certificate of that machine."""
        folder = self.directory / name / "identity"
        context = ssl.create_default_context(cafile=str(folder / "authority.pem"))
        context.load_cert_chain(folder / "identity.pem")
        headers = {"Content-Type": "application/msgpack"}
        url, data = f"https://127.0.0.1:{self.door}/v1/events", encode_frame(frame(source=source))
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, data, headers), context=context, timeout=5
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    def steps(self) -> list[tuple[str, IdentityStep]]:
        reader = LedgerReader.open(ledger_directory(self.data, OPERATOR))
        try:
            bodies = [recorded(entry).body for entry in reader.read(0, 1000)]
        finally:
            reader.close()
        return [(body.identity, body.step) for body in bodies if isinstance(body, IdentitySaid)]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[tuple[Hub, str]]:
    """A hub and its broker, running."""
    made = Hub(tmp_path)
    with running(made.broker), server(tmp_path, made.text) as (_, runtime):
        yield made, runtime.url


def reporting(url: str) -> int:
    return sum(int(site["probes_reporting"]) for site in board(url)["sites"].values())


def counted(url: str, sample: str) -> float:
    """The value of one sample of /metrics."""
    lines = get(f"{url}/metrics").decode().splitlines()
    (line,) = [each for each in lines if each.startswith(f"seatwatch_{sample} ")]
    return float(line.rpartition(" ")[2])


def flood_until_ended(hub: Hub, name: str, topic: str) -> None:
    """Send far more with a machine's certificate than any probe does, until the broker ends the session."""
    folder = hub.directory / name / "identity"
    context = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    context.load_cert_chain(folder / "identity.pem")
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False)
    client.tls_set_context(context)
    ended = threading.Event()
    client.on_disconnect = lambda *_: ended.set()
    client.connect("127.0.0.1", hub.port)
    client.loop_start()

    def is_over() -> bool:
        for _ in range(500):
            client.publish(topic, b"x")
        return ended.is_set()

    wait_until_blocking(is_over, 30, what="who floods to be kept away")
    client.loop_stop()


def connections(probe: Running) -> int:
    return probe.said().count('"uplink.connected"')


def test_a_gateway_comes_in_speaks_and_is_cut_off_within_the_minute(hub: tuple[Hub, str]) -> None:
    made, url = hub
    config = made.probe_config()
    made.enrol(config)
    with seatwatch(["probe", "--config", str(config)], made.directory / "probe.log") as probe:
        wait_until_blocking(lambda: reporting(url) == 1, 20, what="the gateway on the board")
        assert "the broker knows; 0 identities were new or gone" in made.command("roster", "apply", *made.at)
        assert f"{__version__} × 1" in get(f"{url}/rollout").decode()
        assert (connections(probe), "uplink.lost" in probe.said()) == (1, False)
        assert made.over_https("gateway", "site1/gateway") == 200
        revoked = time.monotonic()
        made.command("enrol", "revoke", *made.at, "site1/gateway", "--reason", "stolen")
        wait_until_blocking(lambda: "uplink.lost" in probe.said(), REVOKED_WITHIN_S, what="the session to be ended")
        took_s = time.monotonic() - revoked
        assert made.over_https("gateway", "site1/gateway") == 403
        wait_until_blocking(lambda: probe.said().count('"uplink.lost"') > 1, 20, what="it to try again")
        assert connections(probe) == 1, "it came back"
    print(f"revoked: session ended after {took_s:.1f} s")
    assert took_s <= REVOKED_WITHIN_S
    wanted = [("site1/gateway", IdentityStep.ENROLLED), ("site1/gateway", IdentityStep.REVOKED)]
    wait_until_blocking(lambda: made.steps() == wanted, 10, what="both steps on the record")
    assert counted(url, 'identity_steps_total{step="revoked"}') == 1
    tries = 'broker_denied_total{access="connect"}'
    wait_until_blocking(lambda: counted(url, tries) >= 1, 10, what="its refused connections to be counted")


def test_a_seat_comes_in_by_itself_and_a_copy_of_it_is_refused_and_on_the_record(hub: tuple[Hub, str]) -> None:
    made, url = hub
    config = made.seat_image()
    with pytest.raises(AssertionError, match="not approved yet"):
        made.command("probe", "enrol", "--config", str(config), "--once")
    made.command("enrol", "approve", *made.at, made.waiting_batch())
    with seatwatch(["probe", "--config", str(config)], made.directory / "probe.log"):
        wait_until_blocking(lambda: reporting(url) == 1, 20, what="the seat on the board")
        with seatwatch(["probe", "--config", str(made.copied(config))], made.directory / "copy.log"):
            wanted = ("site1/seat-01", IdentityStep.SEEN_TWICE)
            wait_until_blocking(lambda: wanted in made.steps(), 60, what="the copy to be noticed")
        assert counted(url, 'frames_refused_total{refusal="seen_twice"}') >= 1
    assert "A-1" in get(f"{url}/rollout").decode()
    flood_until_ended(made, "seat", "v1/site1/seat-01/now")
    assert counted(url, 'frames_refused_total{refusal="too_often"}') >= 500
