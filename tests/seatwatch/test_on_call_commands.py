"""What a person types about being called: files for other tools, test messages, the dead man's switch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from seatwatch.__main__ import main
from tests.servers import Server, ask, free_port, program, running
from tests.tidy.source import ROOT

CONFIGURATION = """
[alerting]
alertmanager_urls = ["http://127.0.0.1:9093"]
[[duty]]
name = "first"
channels = ["caller"]
[[channel]]
id = "caller"
kind = "command"
command = ["{command}"]
"""


def configured(directory: Path, command: str = "/bin/true") -> str:
    file = directory / "seatwatch.toml"
    file.write_text(CONFIGURATION.format(command=command))
    return str(file)


def test_the_files_it_writes_are_those_the_tools_accept(tmp_path: Path) -> None:
    config = configured(tmp_path)
    assert main(["alerting", "rules", "--config", config, "--out", str(tmp_path)]) == 0
    assert main(["alerting", "alertmanager", "--config", config, "--out", str(tmp_path)]) == 0
    for check in (
        ["promtool", "check", "rules", str(tmp_path / "seatwatch.rules.yml")],
        ["amtool", "check-config", str(tmp_path / "alertmanager.yml")],
    ):
        assert subprocess.run([program(check[0]), *check[1:]], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("command", "code", "says"), [("/bin/true", 0, "caller: taken"), ("/bin/false", 1, "ended with 1")]
)
def test_a_test_message_says_what_each_channel_answered(
    command: str, code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notify", "test", "--config", configured(tmp_path, command)]) == code
    assert says in "".join(capsys.readouterr())


def test_a_messenger_that_was_never_spoken_to_is_called_unverified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(configured(tmp_path))
    (tmp_path / "team.url").write_text(f"http://127.0.0.1:{free_port()}/")
    (tmp_path / "team.url").chmod(0o600)
    file.write_text(file.read_text() + '[[channel]]\nid = "team"\nkind = "slack"\nurl_file = "team.url"\n')
    assert main(["notify", "test", "--config", str(file)]) == 1
    told = capsys.readouterr()
    assert "caller: taken\n" in told.out
    assert "team: ClientConnectorError (slack is unverified: look whether it arrived, and how it reads)" in told.err


def test_a_server_without_a_channel_says_so_to_whoever_tries_them_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It had said that there was no channel None."""
    (tmp_path / "seatwatch.toml").write_text("", encoding="utf-8")
    assert main(["notify", "test", "--config", str(tmp_path / "seatwatch.toml")]) == 2
    assert "nobody can be told anything: no [[channel]] yet" in capsys.readouterr().err


def test_a_channel_that_is_none_is_named_with_those_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notify", "test", "pager", "--config", configured(tmp_path)]) == 2
    assert "no channel 'pager'; use one of caller" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('channels = ["caller"]|channels = []', "nothing reaches 'first'"),
        ('channels = ["caller"]|channels = ["pager"]', "no channel 'pager'"),
        ('kind = "command"|kind = "dingtalk"', "channel[0].url_file: is needed"),
        ('["/bin/true"]|["/nowhere"]', "/nowhere cannot be run"),
        ('"http://127.0.0.1:9093"|"127.0.0.1:9093"', "is no web address"),
    ],
)
def test_a_duty_list_that_reaches_nobody_is_refused(
    line: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(configured(tmp_path))
    right, _, wrong = line.partition("|")
    file.write_text(file.read_text().replace(right, wrong))
    assert main(["check-config", str(file)]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "call: nobody is called"),
        ('call = ["nobody"]', "call: no channel 'nobody'"),
        ('calls = ["a"]', "calls: there is no such key"),
        ("call = [", "cannot be read"),
        ("port = 99999", "port: 99999 does not fit"),
        ('listen = "0.0.0.0"', "token_file: is needed where others reach the switch"),
        (
            'token_file = "nowhere.token"',
            "token_file: no text in nowhere.token; write the address or the secret into it: `seatwatch token new FILE`",
        ),
    ],
)
def test_a_configuration_that_would_call_nobody_is_refused(
    text: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "deadman.toml"
    file.write_text(text)
    assert main(["deadman", "--config", str(file)]) == 2
    assert problem in capsys.readouterr().err


def test_check_config_says_that_messages_without_the_servers_address_carry_no_links(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(configured(tmp_path))
    assert main(["check-config", str(file)]) == 0
    assert "alerting.public_url is not set: messages carry no link" in capsys.readouterr().out
    file.write_text(file.read_text().replace("[alerting]\n", '[alerting]\npublic_url = "https://hub.example.com"\n'))
    assert main(["check-config", str(file)]) == 0
    assert "public_url" not in capsys.readouterr().out


def test_check_config_says_that_nobody_is_called_or_that_nobody_learns_of_the_end_of_calling(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(configured(tmp_path))
    text = file.read_text()
    for written, notes in (
        (text, ["deadman_url is not set"]),
        (text.replace("[alerting]\n", '[alerting]\ndeadman_url = "http://other:8788/watchdog"\n'), []),
        (text.partition("[[duty]]")[0], ["there is no [[duty]]"]),
    ):
        file.write_text(written)
        assert main(["check-config", str(file)]) == 0
        said = capsys.readouterr().out
        assert [note for note in ("deadman_url is not set", "there is no [[duty]]") if note in said] == notes


def test_the_bridge_apart_says_in_a_line_of_json_what_a_channel_did_not_take(tmp_path: Path) -> None:
    file, port = Path(configured(tmp_path, "/bin/false")), free_port()
    file.write_text(f'[server]\ndata = "data"\n{file.read_text()}')
    command = [sys.executable, "-m", "seatwatch", "notify", "bridge", "--config", str(file), "--port", str(port)]
    bridge = Server(
        command,
        port=port,
        directory=tmp_path,
        ready=lambda chosen: b" 200 " in ask(chosen, b"GET /metrics HTTP/1.0\r\n\r\n")[:20],
        environment={"PYTHONPATH": str(ROOT)},
    )
    with running(bridge):
        token = (tmp_path / "data" / "keys" / "notify.token").read_text().strip()
        alert = {"status": "firing", "labels": {"alertname": "X"}, "annotations": {}, "fingerprint": "f"}
        alert |= {"startsAt": "2025-11-22T03:59:48Z", "endsAt": "0001-01-01T00:00:00Z"}
        body = json.dumps({"status": "firing", "alerts": [alert]}).encode()
        head = f"POST /notify/duty-1 HTTP/1.0\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
        assert b" 502 " in ask(port, head.encode() + body)[:20]
    (said,) = (json.loads(line) for line in bridge.log.read_text().splitlines() if line.startswith("{"))
    assert (said["event"], said["channel"]) == ("paging.channel_refused", "caller")
