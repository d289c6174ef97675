"""The privacy page explains every field that a seat sends, and the probe has no means of reading more."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_probe.config import ProbeConfig, parse_config
from agent_probe.errors import ProbeConfigError
from agent_probe.lines import Lines
from agent_probe.sensors.base import Stamp
from agent_probe.sensors.registry import Host, build
from agent_probe.sensors.seat import Load
from tests.agent_probe.living_probe import SETTINGS
from tests.tidy.source import ROOT, dotted, imported_modules
from wire.body import Body
from wire.facility import Heartbeat, UpsReading
from wire.phone import PhoneLineReading
from wire.seat import PlatformReading, ProbeNote, SeatReading

PAGE = (ROOT / "docs" / "operate" / "seat-privacy.md").read_text(encoding="utf-8")
CHINESE, ENGLISH = PAGE.split("\n## English\n")
SAID_BY_SEATS = (Heartbeat, SeatReading, PlatformReading, UpsReading, PhoneLineReading, ProbeNote)
EVERYTHING_A_SEAT_MAY_HAVE = """
site = "site1"
probe = "seat-01"
seat = "A-1"
[broker]
host = "hub.example.com"
[network]
time_server = "192.0.2.1"
[[ups]]
name = "battery"
via = "battery"
[[phone_line]]
name = "trunk"
host = "192.0.2.2"
[[platform]]
name = "qianniu"
programs = ["AliWorkbench.exe"]
host = "192.0.2.3"
"""
A_LINE = """
[[line]]
name = "telecom"
carrier = "Telecom"
interface = "wan0"
targets = ["192.0.2.4", "192.0.2.5"]
"""
SENSORS_AND_WHAT_THEY_SAY = {
    "heartbeat": Heartbeat,
    "seat": SeatReading,
    "platform/qianniu": PlatformReading,
    "ups/battery": UpsReading,
    "phone_line/trunk": PhoneLineReading,
}
"""Beside them the machine itself is watched, which is what a ProbeNote tells of."""
HEAD = set(Body.__struct_fields__)

THIRD_PARTY = {"aiomqtt", "cryptography", "msgspec", "psutil"}
"""Every library the probe may have, cryptography for its own key: none sees a screen, a keyboard or a microphone."""
ASKED_OF_PSUTIL = {"net_if_addrs", "net_if_stats", "process_iter", "sensors_battery"}
REFUSED_BY_PSUTIL = "Error"
"""What it raises; caught where a system does not tell."""
MEANS_OF_MORE = re.compile(
    r"GetWindowText|GetForegroundWindow|EnumWindows|SetWindowsHook|GetAsyncKeyState|GetKeyState|GetKeyboardState|"
    r"GetCursorPos|GetLastInputInfo|BitBlt|PrintWindow|GetClipboardData|OpenClipboard|waveIn|IAudioClient|"
    r"GetUserName|getlogin|getuser\(|cmdline|/environ|open_files|net_connections|XQueryKeymap|/dev/input|/dev/snd|/dev/video|"
    r"AF_PACKET|SIO_RCVALL|SOCK_RAW, IPPROTO_TCP"
)


def sources() -> Iterator[tuple[Path, str]]:
    for path in sorted((ROOT / "agent_probe").rglob("*.py")):
        yield path, path.read_text(encoding="utf-8")


def tables(text: str) -> dict[str, set[str]]:
    """The fields in each table, by the struct its heading names."""
    found: dict[str, set[str]] = {}
    for heading, table in re.findall(r"^\*\*(.*?)\*\*[^\n]*\n\n((?:\|[^\n]*\n)+)", text, re.MULTILINE):
        name = next(word for word in re.findall(r"[A-Za-z]+", heading) if word[0].isupper())
        first_cells = [line.split("|")[1] for line in table.splitlines()]
        found[name] = set(re.findall(r"`(\w+)`", " ".join(first_cells)))
    return found


@pytest.mark.parametrize("half", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_every_field_a_seat_sends_is_explained_and_no_other(half: str) -> None:
    said = tables(half)
    assert set(said) == {struct.__name__ for struct in SAID_BY_SEATS}
    for struct in SAID_BY_SEATS:
        assert said[struct.__name__] == set(struct.__struct_fields__) - HEAD, struct.__name__


def test_the_page_is_about_every_sensor_that_a_seats_configuration_can_ask_for() -> None:
    config = parse_config(EVERYTHING_A_SEAT_MAY_HAVE)
    host = Host(lambda: Load(0, 0), Lines(lambda: 0), lambda: 0)
    built = {sensor.name: sensor for sensor in build(config, SETTINGS, host)}
    assert set(built) == set(SENSORS_AND_WHAT_THEY_SAY)
    assert {*SENSORS_AND_WHAT_THEY_SAY.values(), ProbeNote} == set(SAID_BY_SEATS)
    for name, sensor in built.items():
        for reading in sensor.unavailable(Stamp(0, 0, True), "timeout"):
            assert type(reading.body()) is SENSORS_AND_WHAT_THEY_SAY[name]
    tables_of_toml = set(re.findall(r"^\[+(\w+)\]+$", EVERYTHING_A_SEAT_MAY_HAVE, re.MULTILINE))
    about_the_hub = {"broker", "hub", "enrolment", "transport", "data_dir", "site", "probe", "seat", "role"}
    assert set(ProbeConfig.__struct_fields__) - about_the_hub - {"line"} == tables_of_toml - about_the_hub
    with pytest.raises(ProbeConfigError, match="a seat does not measure lines"):
        parse_config(f"{EVERYTHING_A_SEAT_MAY_HAVE}{A_LINE}")


@pytest.mark.parametrize("half", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_what_every_message_begins_with_is_explained(half: str) -> None:
    before_the_tables = half.partition("**Heartbeat**" if half is ENGLISH else "**心跳")[0]
    assert set(re.findall(r"`([a-z_]+)`", before_the_tables)) >= HEAD


def test_what_is_never_collected_is_listed_in_both_languages() -> None:
    for word in ("屏幕", "键", "窗口标题", "消息", "命令行", "浏览", "麦克风"):
        assert word in CHINESE.partition("### 采集什么")[0]
    for word in ("screen", "keys", "titles", "messages", "command lines", "browsing", "microphone"):
        assert word in ENGLISH.partition("### What is collected")[0]


def test_the_probe_loads_no_library_that_could_see_more() -> None:
    used = set()
    for _, text in sources():
        used |= {module.split(".")[0] for _, module in imported_modules(ast.walk(ast.parse(text)))}
    foreign = {name for name in used if name not in sys.stdlib_module_names and name not in {"agent_probe", "wire"}}
    assert foreign <= THIRD_PARTY


def test_it_asks_the_system_for_nothing_on_the_list() -> None:
    found = [f"{path.name}: {hit}" for path, text in sources() for hit in MEANS_OF_MORE.findall(text)]
    assert found == []


def test_of_programs_it_reads_the_names_alone() -> None:
    for path, text in sources():
        for node in ast.walk(ast.parse(text)):
            name = dotted(node) if isinstance(node, ast.Attribute) else ""
            if name.startswith("psutil."):
                assert name.removeprefix("psutil.") in {*ASKED_OF_PSUTIL, REFUSED_BY_PSUTIL}, path
            if isinstance(node, ast.Call) and dotted(node.func).endswith("process_iter"):
                assert ast.unparse(node.args[0]) == "['name']", path
