"""The privacy page explains every field that a seat sends, and the probe has no means of reading more."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.source import ROOT, dotted, imported_modules
from wire.body import Body
from wire.facility import Heartbeat
from wire.seat import PlatformReading, ProbeNote, SeatReading

PAGE = (ROOT / "docs" / "operate" / "seat-privacy.md").read_text(encoding="utf-8")
CHINESE, ENGLISH = PAGE.split("\n## English\n")
SAID_BY_SEATS = (Heartbeat, SeatReading, PlatformReading, ProbeNote)
HEAD = set(Body.__struct_fields__)

THIRD_PARTY = {"aiomqtt", "cryptography", "msgspec", "psutil"}
"""Every library the probe may have, cryptography for its own key: none sees a screen, a keyboard or a microphone."""
ASKED_OF_PSUTIL = {"net_if_addrs", "net_if_stats", "process_iter", "sensors_battery"}
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
                assert name.removeprefix("psutil.") in ASKED_OF_PSUTIL, path
            if isinstance(node, ast.Call) and dotted(node.func).endswith("process_iter"):
                assert ast.unparse(node.args[0]) == "['name']", path
