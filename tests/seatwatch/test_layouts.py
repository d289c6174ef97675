"""Layout files: every fault is named at once, and a running server keeps what it had when one is spoilt."""

from pathlib import Path

import pytest

from dashboards.wallboard._core.layout import PANELS
from seatwatch.__main__ import main
from seatwatch.layouts import Known, read_layouts
from seatwatch.server.screens import LayoutsOnDisk

KNOWN = Known(["acme"], ["acme/presale", "acme/aftersale"], ["sh1"])
GOOD = """
[layout.floor-2]
language = "zh-CN"
turn_s = 30
[[layout.floor-2.page]]
title = "Acme"
panels = ["teams", "queues"]
queues = ["acme/aftersale", "acme/presale"]
columns = 2
[[layout.floor-2.page]]
[layout.lobby]
[[layout.lobby.page]]
sites = ["sh1"]
[[layout.lobby.page]]
screen = "map"
[[layout.lobby.page]]
screen = "team/3"
"""
SPOILT = """
[layout.floor-2]
language = "fr"
turn_s = 1
[[layout.floor-2.page]]
panels = ["queues", "maps", "queues"]
clients = ["nobody"]
queues = ["presale"]
sites = ["nowhere"]
columns = 9
colums = 2
[[layout.floor-2.page]]
panels = []
[[layout.floor-2.page]]
screen = "roof"
[[layout.floor-2.page]]
screen = "team/"
[[layout.floor-2.page]]
screen = "team/3"
title = "Three"
columns = 2
[layout."a b"]
"""


def test_a_file_is_read_with_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "layouts.toml").write_text(GOOD)
    layouts, faults = read_layouts(tmp_path / "layouts.toml", KNOWN, 20_000)
    assert faults == []
    floor, lobby = layouts["floor-2"], layouts["lobby"]
    assert (floor.language, floor.turn_ms, lobby.language, lobby.turn_ms) == ("zh-CN", 30_000, "", 20_000)
    assert floor.pages[0].queues == ("acme/aftersale", "acme/presale")
    assert (floor.pages[0].columns, floor.pages[1].columns, floor.pages[1].panels) == (2, 1, PANELS)
    assert (lobby.pages[0].sites, lobby.pages[0].queues) == (("sh1",), None)
    assert [page.screen for page in lobby.pages] == ["", "map", "team/3"]


def test_every_fault_is_named_with_its_key_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "layouts.toml").write_text(SPOILT)
    config = tmp_path / "seatwatch.toml"
    config.write_text('[wallboard]\nlayouts = "layouts.toml"\n[[client]]\nid = "acme"\n')
    assert main(["check-config", str(config)]) == 2
    said = capsys.readouterr().err
    for fault in (
        "layout.floor-2.language: no language 'fr'",
        "layout.floor-2.turn_s:",
        "layout.floor-2.page[0].columns:",
        "layout.floor-2.page[0].colums: there is no such key",
        "layout.floor-2.page[0].panels: no panel 'maps'",
        "layout.floor-2.page[0].panels: 'queues' is there more than once",
        "layout.floor-2.page[0].clients: no client 'nobody'; use one of acme",
        "layout.floor-2.page[0].queues: no queue 'presale'",
        "layout.floor-2.page[0].sites: no site 'nowhere'",
        "layout.floor-2.page[1].panels: shows nothing",
        """layout.floor-2.page[2].screen: no screen 'roof'; use "map", or "team/" and the id of a team""",
        "layout.floor-2.page[3].screen: no screen 'team/'",
        "layout.floor-2.page[4].title: has no effect beside screen; leave it out, or leave out screen",
        "layout.floor-2.page[4].columns: has no effect beside screen",
        "layout.a b: 'a b' is no name",
        "layout.a b: has no page",
    ):
        assert fault in said, fault


@pytest.mark.parametrize(
    ("text", "said"), [(None, "cannot be read"), ("[layout", "is not TOML"), ("layout = 3", "layout")]
)
def test_a_file_that_cannot_be_read_is_said(
    tmp_path: Path, text: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (tmp_path / "layouts.toml").write_text(text)
    config = tmp_path / "seatwatch.toml"
    config.write_text('[wallboard]\nlayouts = "layouts.toml"\n')
    assert main(["check-config", str(config)]) == 2
    assert said in capsys.readouterr().err


def test_a_running_server_takes_a_changed_file_and_keeps_the_last_good_one(tmp_path: Path) -> None:
    path = tmp_path / "layouts.toml"
    layouts = LayoutsOnDisk(path, KNOWN, 20_000)
    assert layouts() == {}
    path.write_text(GOOD)
    assert set(layouts()) == {"floor-2", "lobby"}
    path.write_text(SPOILT)
    assert set(layouts()) == {"floor-2", "lobby"}
    path.write_text("[layout.hall]\n[[layout.hall.page]]\n")
    assert set(layouts()) == {"hall"}
    path.unlink()
    assert set(layouts()) == {"hall"}
    assert LayoutsOnDisk(None, KNOWN, 20_000)() == {}
