"""`seatwatch dashboards`: files for provisioning, and boards handed to a Grafana, here one of the standard library."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from seatwatch.cli import run
from seatwatch.grafana_boards import boards
from seatwatch.settings import load_defaults


class Grafana(BaseHTTPRequestHandler):
    """Takes what a Grafana takes, of whoever has the right token."""

    taken: list[tuple[str, dict[str, Any]]]
    has_folder = False
    refuses: tuple[int, str, str] | None = None
    """Status, header `Location` and body of what it answers to a second board."""

    def do_GET(self) -> None:
        self._answer(200 if self.has_folder else 404)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        allowed = self.headers["Authorization"] == "Bearer right"
        if allowed and self.refuses is not None and self.taken:
            status, location, text = self.refuses
            self._answer(status, text, location)
            return
        if allowed:
            self.taken.append((self.path, body))
        self._answer(200 if allowed else 401)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Nothing is told on the terminal."""

    def _answer(self, status: int, text: str = '{"status":"success"}', location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def grafana(
    *, has_folder: bool = False, refusal: tuple[int, str, str] | None = None
) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    found: list[tuple[str, dict[str, Any]]] = []

    class OneGrafana(Grafana):
        taken = found

    OneGrafana.has_folder = has_folder
    OneGrafana.refuses = refusal
    with HTTPServer(("127.0.0.1", 0), OneGrafana) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", found
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "grafana.token"
    file.write_text("right\n", encoding="utf-8")
    return file


def test_export_writes_every_board_as_a_file_the_same_each_time(tmp_path: Path) -> None:
    assert run(["dashboards", "export", str(tmp_path / "boards")]) == 0
    first = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "boards").iterdir()}
    assert {name: json.loads(text) for name, text in first.items()} == boards(load_defaults(), "seatwatch")
    assert run(["dashboards", "export", str(tmp_path / "boards")]) == 0
    assert {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "boards").iterdir()} == first


def test_another_scrape_job_is_what_the_boards_ask_about(tmp_path: Path) -> None:
    assert run(["dashboards", "export", str(tmp_path), "--scrape-job", "hub"]) == 0
    assert 'up{job=\\"hub\\"}' in (tmp_path / "seatwatch-health.json").read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run(["dashboards", "export", str(tmp_path / "file" / "boards")]) == 1
    assert "name another folder" in capsys.readouterr().err


@pytest.mark.parametrize("has_folder", [False, True])
def test_push_puts_every_board_into_the_folder_and_makes_it_where_it_is_missing(has_folder: bool, token: Path) -> None:
    with grafana(has_folder=has_folder) as (url, taken):
        assert run(["dashboards", "push", "--url", url, "--token-file", str(token)]) == 0
    folders = [body for path, body in taken if path == "/api/folders"]
    assert folders == ([] if has_folder else [{"uid": "seatwatch", "title": "Seatwatch"}])
    put = [body for path, body in taken if path == "/api/dashboards/db"]
    assert [body["dashboard"]["uid"] for body in put] == [
        name.removesuffix(".json") for name in boards(load_defaults(), "seatwatch")
    ]
    assert all(body["overwrite"] and body["folderUid"] == "seatwatch" for body in put)


def test_a_token_that_may_not_is_told_apart_from_a_grafana_that_is_not_there(
    tmp_path: Path, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token.write_text("wrong", encoding="utf-8")
    with grafana(has_folder=True) as (url, taken):
        assert run(["dashboards", "push", "--url", url, "--token-file", str(token)]) == 1
    assert taken == []
    assert "the token needs the role Editor" in capsys.readouterr().err
    assert run(["dashboards", "push", "--url", url, "--token-file", str(token)]) == 1
    assert "not reached" in capsys.readouterr().err
    assert run(["dashboards", "push", "--url", url, "--token-file", str(tmp_path / "none")]) == 2


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ((412, "", '{"message":"A dashboard with the same name","status":"name-exists"}'), "rename or remove it there"),
        ((400, "", '{"message":"Cannot save provisioned dashboard"}'), "renewed by `seatwatch dashboards export`"),
        ((500, "", '{"message":"database is locked"}'), "500 database is locked; Grafana's log says more"),
        ((502, "", "<html>" + "a proxy's whole page " * 500), "502 and no JSON; is it the address of a Grafana?"),
        ((200, "", "<html>Sign in"), "200 and no JSON; is it the address of a Grafana?"),
        ((302, "/login", "{}"), "leads to /login; give the address it is reached at by --url"),
    ],
)
def test_a_board_that_is_not_taken_is_named_with_what_to_do(
    refusal: tuple[int, str, str], said: str, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with grafana(has_folder=True, refusal=refusal) as (url, taken):
        assert run(["dashboards", "push", "--url", url, "--token-file", str(token)]) == 1
    told = capsys.readouterr().err
    assert len(taken) == 1, "the one before it was"
    assert said in told
    assert ("客户服务水平" in told) == (refusal[2].startswith('{"message'))
    assert len(told) < 300, "not the page of a proxy"
