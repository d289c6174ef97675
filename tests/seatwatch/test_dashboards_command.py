"""`seatwatch dashboards`: files for provisioning, and boards handed to a Grafana, here one of the standard library."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from seatwatch.cli import run
from seatwatch.grafana_boards import PushFailed, boards, push_boards
from seatwatch.settings import load_defaults


class Grafana(BaseHTTPRequestHandler):
    """Takes what a Grafana takes, of whoever has the right token."""

    taken: list[tuple[str, dict[str, Any]]]
    has_folder = False
    refuses: tuple[int, str, str] | None = None
    """Status, header `Location` and body of what it answers to a second board."""
    folder_refused = 0
    """Status of what it answers to whoever asks for the folder, 0 = it lets them."""

    def do_GET(self) -> None:
        if self.folder_refused:
            self._answer(self.folder_refused, '{"message":"You\'ll need additional permissions: folders:read"}')
        else:
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
    *,
    has_folder: bool = False,
    refusal: tuple[int, str, str] | None = None,
    folder_refused: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    found: list[tuple[str, dict[str, Any]]] = []

    class OneGrafana(Grafana):
        taken = found

    OneGrafana.has_folder = has_folder
    OneGrafana.refuses = refusal
    OneGrafana.folder_refused = folder_refused
    with HTTPServer(("127.0.0.1", 0), OneGrafana) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}", found
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


@pytest.mark.parametrize("held", [b"", b"\n", b"glsa_one\nglsa_two\n", b"glsa one", "glsa_钥".encode(), b"\xff\xfe"])
def test_a_file_that_holds_no_token_is_named_and_nothing_of_it_is_printed(
    held: bytes, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot stand in a header was told with all of it, and as a Grafana that is not reached."""
    token.write_bytes(held)
    assert run(["dashboards", "push", "--url", "http://127.0.0.1:1", "--token-file", str(token)]) == 2
    told = capsys.readouterr().err
    assert f"{token}: holds no token; it is one word on one line" in told
    assert "glsa" not in told


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ((412, "", '{"message":"A dashboard with the same name","status":"name-exists"}'), "rename or remove it there"),
        ((400, "", '{"message":"Cannot save provisioned dashboard"}'), "renewed by `seatwatch dashboards export`"),
        ((500, "", '{"message":"database is locked"}'), "500 database is locked; Grafana's log says more"),
        ((502, "", "<html>" + "a proxy's whole page " * 500), "502 and no JSON; is it the address of a Grafana?"),
        ((200, "", "<html>Sign in"), "no JSON; is it the address of a Grafana?"),
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


@pytest.mark.parametrize("status", [401, 403])
def test_a_folder_the_token_may_not_see_is_told_before_anything_is_put(
    status: int, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with grafana(folder_refused=status) as (url, taken):
        assert run(["dashboards", "push", "--url", url, "--token-file", str(token)]) == 1
    assert taken == []
    assert f"Seatwatch: {status}; the token needs the role Editor, in this folder too" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["grafana.example:3000", "//grafana.example", "http://", "ftp://a", "http://a:port"])
def test_what_is_no_web_address_is_said_to_be_none(url: str, token: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dashboards", "push", "--url", url, "--token-file", str(token)]) == 1
    assert "is no web address" in capsys.readouterr().err


def test_a_grafana_below_a_path_is_asked_there(token: Path) -> None:
    with grafana(has_folder=True) as (url, taken):
        for path in ("/grafana", "/grafana/"):
            assert run(["dashboards", "push", "--url", f"{url}{path}", "--token-file", str(token)]) == 0
    assert {path for path, _ in taken} == {"/grafana/api/dashboards/db"}


async def test_an_address_of_ipv6_keeps_its_brackets() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(PushFailed, match=rf"^http://\[::1\]:{port}: not reached \(.*::1.*\)"):
        await push_boards(f"http://[::1]:{port}", "right", [], timeout_s=10)


def test_a_certificate_nobody_here_trusts_is_told_apart(token: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    with grafana(has_folder=True, tls=tls) as (url, taken):
        assert run(["dashboards", "push", "--url", url, "--token-file", str(token)]) == 1
    assert taken == []
    told = capsys.readouterr().err
    assert "its certificate is not trusted here" in told
    assert len(told) < 300, "not the whole request"


async def test_a_grafana_that_never_answers_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(PushFailed, match=r"no answer within 0\.3 s; is it the address of a Grafana\?"):
            await push_boards(url, "right", [], timeout_s=0.3)
