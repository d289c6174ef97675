"""What an operator may write, and what is said when it cannot be used: the key, the problem, the fix."""

from pathlib import Path

import pytest

from agent_probe.config import check_files, load_config, parse_config
from agent_probe.errors import ProbeConfigError
from agent_probe.lines import Lines
from agent_probe.secret import read_secret
from agent_probe.sensors.base import Stamp
from agent_probe.sensors.registry import SENSORS, Host, build
from agent_probe.sensors.seat import Load
from seatwatch.probe import command as probe_command
from seatwatch.probe import enrolment as probe_enrolment
from tests.agent_probe.living_probe import SETTINGS
from tests.agent_probe.virtual_loop import run_virtually
from wire.facility import Heartbeat, Role
from wire.limits import MEASURED_MAX

HOST = Host(lambda: Load(0, 0), Lines(lambda: 0), lambda: 0)
SMALLEST = 'site = "sz1"\nprobe = "p1"\nseat = "s01"\n[broker]\nhost = "hub"\n'
GATEWAY = SMALLEST.replace('seat = "s01"', 'role = "gateway"')
TRUNK = '[[phone_line]]\nname = "t"\nhost = "h"\n'
A_LINE = '[[line]]\nname = "telecom"\ncarrier = "电信"\ninterface = "wan0"\ntargets = ["192.0.2.1", "192.0.2.2"]\n'
SENSOR_FOLDERS = Path(probe_command.__file__).parent.parent.parent / "agent_probe" / "sensors"


def test_the_smallest_configuration_is_a_seat_with_everything_else_as_usual() -> None:
    config = parse_config(SMALLEST)
    assert (config.source, config.role, config.broker.port, config.broker.protocol) == ("sz1/p1", Role.SEAT, 1883, "5")
    assert [sensor.name for sensor in build(config, SETTINGS, HOST)] == ["heartbeat", "seat"]


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("site = ", "--config", "not TOML"),
        (SMALLEST.replace('site = "sz1"\n', ""), "site", "is needed and not there"),
        (SMALLEST.replace('host = "hub"', ""), "broker.host", "is needed and not there"),
        (SMALLEST.replace('"hub"', '""'), "broker.host", "empty"),
        (SMALLEST.replace('"sz1"', '"sz/1"'), "site", "cannot be a name"),
        (SMALLEST.replace('"p1"', '"~clock"'), "probe", "cannot be a name"),
        (SMALLEST + "prot = 1\n", "broker.prot", "there is no such key"),
        (SMALLEST + "port = 99999\n", "broker.port", "65535"),
        (SMALLEST + 'port = "1883"\n', "broker.port", "'1883' does not fit"),
        (SMALLEST + 'protocol = "4"\n', "broker.protocol", "unknown"),
        (SMALLEST + 'username = "u"\n', "broker.username", "belong together"),
        (SMALLEST + '[broker.tls]\ncert_file = "c"\n', "broker.tls", "belong together"),
        (SMALLEST + '[[ups]]\nname = "a"\n[[ups]]\nname = "a"\n', "ups.name", "used twice"),
        (SMALLEST + '[[platform]]\nname = "p"\n', "platform.p", "nothing to look at"),
        (SMALLEST + '[[phone_line]]\nname = "t"\nhost = ""\n', "phone_line.t.host", "empty"),
        (
            SMALLEST + '[[phone_line]]\nname = "t"\nhost = "h"\ntransport = "sctp"\n',
            "phone_line[0].transport",
            "sctp",
        ),
        (SMALLEST + '[[phone_line]]\nname = "t"\nhost = "h"\nca_file = "f"\n', "phone_line.t.ca_file", "only TLS"),
        (
            SMALLEST + '[[phone_line]]\nname = "t"\nhost = "h"\nregister = {aor = "monitor", password_file = "f"}\n',
            "phone_line.t.register.aor",
            "monitor",
        ),
        (SMALLEST + '[[phone_line]]\nname = "t"\nhost = "h"\n' * 2, "phone_line.name", "used twice"),
        (SMALLEST + '[[ups]]\nname = "no blanks"\n', "ups.no blanks", "cannot be a name"),
        (SMALLEST + A_LINE, "line", "a seat does not measure lines"),
        (GATEWAY + A_LINE * 2, "line.name", "used twice"),
        (GATEWAY + A_LINE.replace('"wan0"', '""'), "line.telecom.interface", "no interface"),
        (GATEWAY + A_LINE.replace("电信", "电" * 300), "line.telecom.carrier", "too long"),
        (GATEWAY + A_LINE.replace('["192.0.2.1", "192.0.2.2"]', "[]"), "line.telecom.targets", "none"),
        (GATEWAY + A_LINE.replace(', "192.0.2.2"', ""), "line.telecom.targets", "192.0.2.1 is no two different ones"),
        (GATEWAY + A_LINE.replace(".2.2", ".2.1:53"), "line.telecom.targets", "is no two different ones"),
        (GATEWAY + A_LINE + TRUNK + 'via_line = "telcom"\n', "phone_line.t.via_line", "'telcom' is no [[line]]"),
        (GATEWAY + A_LINE.replace("192.0.2.1", "example.org"), "line.telecom.targets", "cannot be asked"),
        (GATEWAY + A_LINE.replace("192.0.2.1", "192.0.2.1:99999"), "line.telecom.targets", "cannot be asked"),
        (GATEWAY + A_LINE + 'gateway = "here"\n', "line.telecom.gateway", "no IPv4 address"),
        (GATEWAY + A_LINE + '[line.router]\nhost = "r"\n', "line[0].router.interface_index", "is needed and not there"),
        (SMALLEST.replace("seat =", 'role = "boss"\nseat ='), "role", "'boss' does not fit"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_name_with_a_fix(text: str, key: str, problem: str) -> None:
    with pytest.raises(ProbeConfigError) as refused:
        parse_config(text)
    assert refused.value.key == key
    assert problem in f"{refused.value.problem}, {refused.value.fix}"
    assert refused.value.fix


def test_lines_become_one_sensor_and_each_router_one_more() -> None:
    text = (SENSOR_FOLDERS / "uplink" / "sample.toml").read_text(encoding="utf-8")
    config = parse_config(text)
    assert [sensor.name for sensor in build(config, SETTINGS, HOST)] == ["heartbeat", "uplink", "router/10.20.0.1"]
    assert [line.carrier for line in config.line] == ["电信", "联通", "移动"]


def test_a_heartbeat_lists_what_the_configuration_names_and_nothing_where_that_is_too_much() -> None:
    lines = [f'[[phone_line]]\nname = "t{n}"\nhost = "sip.example"\n' for n in range(MEASURED_MAX + 1)]
    config = parse_config(GATEWAY + '[[ups]]\nname = "rack1"\n' + A_LINE + "".join(lines))
    (reading,) = run_virtually(build(config, SETTINGS, HOST)[0].sample(Stamp(2_000, 1_000, True)))
    beat = reading.body()
    assert isinstance(beat, Heartbeat)
    assert (beat.upses, beat.lines, beat.phone_lines) == (["rack1"], ["telecom"], None)


def test_a_file_that_cannot_be_read_is_refused_by_its_key(tmp_path: Path) -> None:
    text = SMALLEST + f'username = "u"\npassword_file = "{tmp_path / "none"}"\n'
    with pytest.raises(ProbeConfigError, match=r"broker\.password_file"):
        check_files(parse_config(text))


def test_relative_paths_begin_where_the_configuration_is_for_a_service_is_started_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "etc"
    elsewhere.mkdir()
    folder.mkdir()
    file = folder / "probe.toml"
    file.write_text(
        'data_dir = "data"\n'
        + SMALLEST
        + 'username = "u"\npassword_file = "pw"\ntls = {ca_file = "/etc/ca.pem"}\n'
        + '[enrolment]\ntoken_file = "batch.token"\n[[phone_line]]\nname = "t"\nhost = "sip.example"\n'
        + 'register = {aor = "sip:m@sip.example", password_file = "sub/pw"}\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("etc/probe.toml"))
    monkeypatch.chdir(elsewhere)
    assert config.enrolment is not None
    assert config.broker.tls is not None
    assert config.phone_line[0].register is not None
    found = (config.data_dir, config.broker.password_file, config.enrolment.token_file)
    assert found == (str(folder / "data"), str(folder / "pw"), str(folder / "batch.token"))
    assert config.phone_line[0].register.password_file == str(folder / "sub" / "pw")
    assert config.broker.tls.ca_file == "/etc/ca.pem"
    assert config.hub is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_token_is_read_as_windows_tools_write_it(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "batch.token"
    file.write_bytes("sg1mf-cqwyf-3\r\n".encode(encoding))
    assert read_secret(str(file)) == "sg1mf-cqwyf-3"


@pytest.mark.parametrize("content", [None, b"\xff\xff\xff"])
def test_enrolling_names_the_token_file_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    file, token = tmp_path / "probe.toml", tmp_path / "batch.token"
    file.write_text(
        SMALLEST + '[enrolment]\nhub = "https://hub.example"\npin = "ab"\ntoken_file = "batch.token"\n', "utf-8"
    )
    if content is not None:
        token.write_bytes(content)
    assert probe_enrolment.run("enrol", ["--config", str(file), "--once"]) == 2
    said = capsys.readouterr().err
    assert "enrolment.token_file" in said
    assert str(token) in said


def test_check_says_what_the_probe_would_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "probe.toml"
    file.write_text(
        SMALLEST
        + '[[ups]]\nname = "rack1"\n[[phone_line]]\nname = "t"\nhost = "sip.example"\ntransport = "tls"\n'
        + f'register = {{aor = "sip:m@sip.example", password_file = "{file}"}}\n'
        + '[[platform]]\nname = "chat"\nhost = "chat.example"\nprograms = ["Chat.exe"]\n',
        encoding="utf-8",
    )
    assert probe_command.run(["--config", str(file), "--check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok: seat sz1/p1, seat s01",
        "    broker hub:1883, MQTT 5, no TLS",
        "    UPS rack1 at 127.0.0.1:3493",
        "    phone line t at sip.example:5061, TLS, registering sip:m@sip.example",
        "    platform chat: door chat.example:443, programs Chat.exe",
    ]


def test_check_ends_with_2_and_names_key_and_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "probe.toml"
    file.write_bytes(b"\xff\xfe")
    assert probe_command.run(["--config", str(file), "--check"]) == 2
    assert "fix: save it as UTF-8" in capsys.readouterr().err
    assert probe_command.run(["--config", str(tmp_path / "none")]) == 2
    assert probe_command.run([]) == 2


MISSPELT = """
sit = "sz1"
seat = 4
[broker]
port = 0
[[ups]]
[[ups]]
name = "a"
prot = 1
"""
AT_ODDS = """
site = "s/z"
probe = "~p"
transport = "https"
[broker]
host = ""
protocol = "4"
username = "u"
[[ups]]
name = "a"
[[ups]]
name = "a"
[[platform]]
name = "p"
[[platform]]
name = "q"
"""
WITHOUT_FILES = """
site = "sz1"
probe = "p"
seat = "a"
broker = {host = "h", tls = {ca_file = "a", cert_file = "b", key_file = "c"}}
"""


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (MISSPELT, "broker.host broker.port seat sit site ups[0].name ups[1].prot"),
        (
            AT_ODDS,
            "site probe ups.name platform.p platform.q broker.protocol broker.host broker.username hub.url",
        ),
        (WITHOUT_FILES, "broker.tls.ca_file broker.tls.cert_file broker.tls.key_file"),
    ],
)
def test_check_names_everything_that_is_wrong_at_once_each_with_its_fix(
    text: str, keys: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "probe.toml"
    file.write_text(text, encoding="utf-8")
    assert probe_command.run(["--config", str(file), "--check"]) == 2
    first, *lines = capsys.readouterr().err.removeprefix(f"{file}: ").splitlines()
    told = [first, *lines]
    assert [line.partition(": ")[0] for line in told[::2]] == keys.split()
    assert all(line.startswith("  fix: ") for line in told[1::2])


@pytest.mark.parametrize(
    "host",
    [
        "nut..example",
        "a" * 64 + ".example",
        "https://shop",
        "pbx:5060",
        "[::1]",
        "a b",
        "a\\u0000b",
        ".",
        "上海" * 30,
        "-a",
    ],
)
@pytest.mark.parametrize(
    ("more", "key"),
    [
        ('[[ups]]\nname = "u"\nhost = "{}"\n', "ups.u.host"),
        ('[[ups]]\nname = "u"\nvia = "snmp"\nhost = "{}"\n', "ups.u.host"),
        ('[[phone_line]]\nname = "t"\nhost = "{}"\n', "phone_line.t.host"),
        ('[[platform]]\nname = "p"\nhost = "{}"\n', "platform.p.host"),
        ('[network]\ntime_server = "{}"\n', "network.time_server"),
        ('[network]\ngateway = "{}"\n', "network.gateway"),
    ],
)
def test_a_host_that_none_can_be_is_refused_by_its_key_and_not_met_by_a_sensor(host: str, more: str, key: str) -> None:
    with pytest.raises(ProbeConfigError) as refused:
        parse_config(SMALLEST + more.format(host))
    assert refused.value.key == key


@pytest.mark.parametrize(
    "host", ["hub", "hub.example.", "192.0.2.1", "::1", "fe80::1%eth0", "上海.example", "a_b-c.example", "0x7f"]
)
def test_names_and_addresses_are_hosts(host: str) -> None:
    assert parse_config(SMALLEST + f'[[platform]]\nname = "p"\nhost = "{host}"\n').platform[0].host == host


def test_a_gateway_does_not_look_at_itself_and_a_seat_may_be_told_not_to() -> None:
    more = '[network]\nmeasured = false\n[[platform]]\nname = "phone"\nprograms = ["phone.exe"]\n'
    gateway = parse_config('site = "sz1"\nprobe = "gw"\nrole = "gateway"\n[broker]\nhost = "hub"\n')
    assert [sensor.name for sensor in build(gateway, SETTINGS, HOST)] == ["heartbeat"]
    told = build(parse_config(SMALLEST + more), SETTINGS, HOST)
    assert [sensor.name for sensor in told] == ["heartbeat", "platform/phone"]


def test_every_sensor_has_its_folder_with_a_readme_and_every_folder_is_a_sensor_or_a_kept_place() -> None:
    folders = {path.name for path in SENSOR_FOLDERS.iterdir() if path.is_dir() and not path.name.startswith("_")}
    assert folders == set(SENSORS)
    assert all((SENSOR_FOLDERS / name / "README.md").read_text(encoding="utf-8").strip() for name in folders)


def test_the_sample_configurations_are_accepted() -> None:
    samples = list(SENSOR_FOLDERS.glob("*/sample.toml"))
    assert {sample.parent.name for sample in samples} == set(SENSORS)
    for sample in samples:
        assert parse_config(sample.read_text(encoding="utf-8")).site
