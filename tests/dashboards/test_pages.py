"""What scripts of the screens go by stands on their page, every setting and no other."""

import dataclasses
import re
from pathlib import Path

from dashboards.lead import server as lead
from dashboards.wallboard import server as wallboard
from dashboards.wallboard.pages import page_response
from tests.dashboards.served import settings

ASKED = re.compile(r'setting\("(\w+)"\)|documentElement\.dataset\.(\w+)')


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def test_scripts_ask_for_what_stands_on_their_page_and_for_all_of_it() -> None:
    scripts = [file for folder in (wallboard.STATIC, lead.STATIC) for file in folder.glob("*.js")]
    asked = {name for file in scripts for found in ASKED.findall(file.read_text(encoding="utf-8")) for name in found}
    assert asked - {""} == {camel(name) for name in dataclasses.asdict(settings().pages)}


def test_every_page_that_loads_a_script_carries_the_settings() -> None:
    pages = [wallboard.STATIC / "index.html", lead.STATIC / "team.html", lead.STATIC / "map.html"]
    for page in pages:
        shown = page_response(page, settings().pages).text or ""
        assert '<html lang="zh-CN" data-load-again-ms="10000" data-leave-again-ms="4000"' in shown, page
        assert "data-settings" not in shown


def test_other_settings_are_another_page_that_screens_load_anew(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("let x;")
    assert wallboard.fingerprint(tmp_path, [b'data-x="1"']) != wallboard.fingerprint(tmp_path, [b'data-x="2"'])
