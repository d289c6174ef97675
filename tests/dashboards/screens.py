"""A real browser looking at a real wallboard server; for tests and for the picture in the README."""

import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from dashboards.wallboard._core.layout import Layout
from seatwatch.glossary import words
from tests.servers import LOOPBACK, Server, ask, free_port, program, running
from tests.tidy.source import ROOT
from wire.board import Board

CHROMIUM_OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TV: Final = (1920, 1080)
PHONE: Final = (390, 844)


def word(key: str, language: str = "en") -> str:
    """A word of the glossary as a screen of this language shows it."""
    return words()[key].text("zh" if language.startswith("zh") else "en")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium built without windows: a page costs it less than half of what the one with windows takes."""
    with sync_playwright() as playwright:
        shell = program("chromium-headless-shell")
        browser = playwright.chromium.launch(executable_path=shell, args=list(CHROMIUM_OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


class Wall:
    """A wallboard server process and what it is told to show."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.base = f"http://{server.host}:{server.port}"

    def show(self, board: Board | None, *, live: bool = True, layouts: Sequence[Layout] = ()) -> None:
        """Show `board` as if its as_of were now; `live` = go on publishing it, as of now, several times a second."""
        named = {layout.name: layout for layout in layouts}
        body = msgspec.json.encode({"board": board, "live": live, "layouts": named})
        request = urllib.request.Request(f"{self.base}/control", data=body, method="PUT")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


@contextmanager
def wall(directory: Path, *arguments: str) -> Iterator[Wall]:
    """A running server; `arguments`: a token and the clients it may see, none = open on loopback."""
    port = free_port()
    server = Server(
        [sys.executable, "-m", "tests.dashboards.served", str(port), *arguments],
        port=port,
        directory=directory,
        ready=lambda chosen: ask(chosen, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200"),
        environment={"PYTHONPATH": str(ROOT)},
    )
    with running(server):
        yield Wall(server)


@contextmanager
def looking(browser: Browser, address: str, size: tuple[int, int] = TV, **options: str) -> Iterator[Page]:
    """A page of one's own. Fails if a script failed or a policy was broken while it was looked at."""
    assert f"//{LOOPBACK}:" in address
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)  # type: ignore[arg-type]  # playwright's own
    page = context.new_page()
    page.set_default_timeout(10_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)
    page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    page.goto(address)
    try:
        yield page
        assert wrong == [], wrong
    finally:
        context.close()


def live(page: Page) -> Page:
    """`page`, once it shows a board."""
    page.wait_for_selector("body[data-state=live]")
    page.wait_for_selector("#as-of time:not(:empty)")
    return page


def row(page: Page, name: str) -> Locator:
    """The row of the queue of this name."""
    return page.locator("#rows .row:not([hidden])", has=page.locator("bdi.title", has_text=name))
