"""A configuration is refused whole, with every problem named: key, problem, fix."""

from pathlib import Path

import pytest

from seatwatch.cli import run
from seatwatch.config import ConfigError, parse_config, probe_sources, read_config
from seatwatch.server.on_call import readers
from seatwatch.server.opening import registered_sources
from seatwatch.settings import load_defaults
from tests.integration.running import CHAT, configuration, site_of

GOOD = configuration(CHAT, site_of(seats=3), port=9000)
PASTED = "-----BEGIN CERTIFICATE-----\n" + "MIIB" * 16 + "\n-----END CERTIFICATE-----\n"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    token = tmp_path / "chat.token"
    token.touch(mode=0o600)
    token.write_text("secret\n", encoding="utf-8")
    return tmp_path


def problems(text: str, base: Path) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, base=base)
    return {problem.key: f"{problem.problem}; {problem.fix}" for problem in caught.value.problems}


def test_a_good_file_is_read_with_its_defaults(base: Path) -> None:
    config = parse_config(GOOD, base=base)
    assert config.server.port == 9000
    assert config.server.listen == "127.0.0.1"
    assert [queue.id for queue in config.client[0].queue] == ["acme-presale"]
    assert list(probe_sources(config.site[0])) == [
        "site1/gateway",
        "site1/seat-01",
        "site1/seat-02",
        "site1/seat-03",
    ]


def test_english_names_stand_beside_the_others_and_who_has_none_keeps_the_other(base: Path) -> None:
    named = 'name = "\u552e\u524d"'
    text = GOOD + f'[[team]]\nid = "t-1"\n{named}\nname_en = "Pre-sale"\n[[team]]\nid = "t-2"\n{named}\n'
    config = parse_config(text, base=base)
    names = config.names()
    assert names.teams == {"t-1": "\u552e\u524d", "t-2": "\u552e\u524d"}
    assert names.told_in("zh-CN") is names
    assert names.told_in("en").teams == {"t-1": "Pre-sale", "t-2": "\u552e\u524d"}
    english = readers(config, load_defaults())["en"]
    assert english.site_names == names.told_in("en").sites


def test_every_problem_is_named_at_once(base: Path) -> None:
    text = GOOD.replace('client = "acme"', 'client = "nobody"').replace('"chat.token"', '"missing.token"')
    found = problems(text + '[[site]]\nid = "a/b"\n', base)
    assert set(found) == {"source[0].client", "source[0].token_file", "site[1].id"}
    assert "acme" in found["source[0].client"]
    assert "seatwatch token new" in found["source[0].token_file"]


def test_a_key_that_cannot_be_read_hides_no_other(base: Path) -> None:
    text = """
[server]
port = 99999
listen = "nope"
prot = 1
[mqtt]
port = "x"
tls = true
[[client]]
id = "a b"
[[client.queue]]
name = "no id"
[[client]]
id = 7
[[source]]
id = "chat/acme"
client = "nobody"
feed = "fast"
token_file = "missing.token"
[[source]]
client = 5
[[site]]
id = "a/b"
seats = -1
"""
    assert set(problems(text, base)) == {
        "server.port",
        "server.listen",
        "server.prot",
        "mqtt.port",
        "mqtt.tls",
        "client[0].id",
        "client[0].queue[0].id",
        "client[1].id",
        "source[0].client",
        "source[0].feed",
        "source[0].token_file",
        "source[1].id",
        "source[1].client",
        "site[0].id",
        "site[0].seats",
    }


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("[server]\nprot = 1\n", "server.prot", "no such key"),
        ("[sever]\nport = 1\n", "sever", "no such key"),
        ("server = 1\n", "server", "no table"),
        ("client = 1\n", "client", "write a list"),
        ("client = [1]\n", "client[0]", "is no table but 1; write [[client]], and below it"),
        ('[[source]]\nid = "a"\nclient = "b"\n[[client]]\nid = 3\n', "source[0].client", "use one of (none yet)"),
        ("redis = {}\n", "redis.url", "is needed and not there; write the address of a Redis"),
        ('[[reader]]\nname = "a"\ntoken_file = ""\n', "reader[0].token_file", "is empty; write the token into it"),
        ('[server]\nlisten = "my machine"\n', "server.listen", "no address"),
        ('[redis]\nurl = "http://127.0.0.1"\n', "redis.url", "redis://"),
        ("[mqtt]\ntls = true\n", "mqtt.tls", "loopback"),
        ('[mqtt]\nca_file = "ca.pem"\n', "mqtt.ca_file", "no file"),
        ('[[client]]\nid = "a/b"\n', "client[0].id", "slash"),
        (
            '[server]\nname = "Hub Nr. 1"\n',
            "server.name",
            "'Hub Nr. 1' does not fit; write small letters, digits, dots",
        ),
        ('[server]\ndata = ""\n', "server.data", "is empty; write the folder"),
        ("[server]\nprot = 1\n", "server.prot", "(it says 1); write port"),
        ('[mqtt]\nhost = ""\n', "mqtt.host", "is empty; write text, in quotes, or leave it out"),
        ('[[source]]\nid = "a"\nclient = "a"\ntoken_file = ""\n', "source[0].token_file", "is empty"),
        ('[[source]]\nid = "a"\nclient = "a"\nfeed = "fast"\n', "source[0].feed", "write one of: live, delayed, daily"),
        ('[[client]]\nid = "a"\n[[client.queue]]\nid = "b c"\n', "client[0].queue[0].id", "no name"),
        ('[[reader]]\nname = "a b"\ntoken_file = "chat.token"\n', "reader[0].name", "no name"),
        ('[alerting]\nbridge_url = "x"\n', "alerting.bridge_url", "no web address"),
        ('[[channel]]\nid = "a b"\nkind = "command"\ncommand = ["/bin/true"]\n', "channel[0].id", "no name"),
        ("[server]\nport = 99999\n", "server.port", "65535"),
        ('[server]\nport = "x"\n', "server.port", "'x' does not fit; write a whole number from 0 to 65535"),
        ("[server\n", "(file)", "not TOML"),
        (f'[mqtt]\nca_file = """{PASTED}"""\n', "mqtt.ca_file", "does not fit; write the name of a file, in quotes"),
        (f'[wallboard]\nlayouts = "{"x" * 256}"\n', "wallboard.layouts", "x... does not fit; write the name of a file"),
        ('[[reader]]\nname = "a"\ntoken_file = "a\\u0000"\n', "reader[0].token_file", "write the name of a file"),
        ('[server]\nlisten = "0.0.0.0"\n', "server.listen", "reader"),
        ('[[client]]\nid = "operator"\n', "client[0].id", "operator"),
        ('[[client]]\nid = "a"\ntime_zone = "Mars/Base"\n', "client[0].time_zone", "IANA"),
        ('[[client]]\nid = "a"\ntime_zone = "localtime"\n', "client[0].time_zone", "IANA"),
        ('[[client]]\nid = "a"\n[[client]]\nid = "a"\n', "client[1].id", "'a' stands at client[0].id too"),
        ('[[client]]\nid = "a"\n[[client]]\nid = "a b"\n', "client[1].id", "no name"),
    ],
)
def test_a_wrong_key_is_named_with_its_fix(text: str, key: str, says: str, base: Path) -> None:
    assert says in problems(text, base)[key]


def test_a_token_that_others_can_read_is_refused(base: Path) -> None:
    (base / "chat.token").chmod(0o644)
    assert "chmod 600" in problems(GOOD, base)["source[0].token_file"]


def test_a_token_that_is_no_text_is_named(base: Path) -> None:
    (base / "chat.token").write_bytes(b"\xff\xfe\x00")
    assert "no text" in problems(GOOD, base)["source[0].token_file"]


def test_two_readers_with_one_token_are_refused_because_one_would_see_what_the_other_may(base: Path) -> None:
    reader = '[[reader]]\nname = "{}"\ntoken_file = "chat.token"\nclients = {}\n'
    found = problems(GOOD + reader.format("all", '["acme"]') + reader.format("none", "[]"), base)
    assert "'all'" in found["reader[1].token_file"]


def test_check_config_reads_the_definitions_that_clients_name(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = base / "seatwatch.toml"
    (base / "odd.toml").write_text('based_on = "contract-10s"\nsemantics = 99\ncredit = "x"\n', encoding="utf-8")
    (base / "bytes.toml").write_bytes(b"\xff")
    clients = "".join(
        f'[[client]]\nid = "{name}"\ndefinition = "{name}.toml"\n' for name in ("odd", "bytes", "missing")
    )
    clients += '[[client]]\nid = "fine"\nfurther_definitions = ["jd-30s", "none.toml"]\ncontract = "none.toml"\n'
    path.write_text(clients + "[server]\nport = 99999\n", encoding="utf-8")
    assert run(["check-config", str(path)]) == 2
    said = capsys.readouterr().err
    assert "server.port: " in said
    assert "client[0].definition: odd.toml: semantics = 99: not implemented yet; implemented: 1, 2" in said
    assert "client[0].definition: odd.toml: credit = x: does not fit; write one of: sender, assignee" in said
    assert "client[1].definition: bytes.toml: is not UTF-8" in said
    assert "client[2].definition: missing.toml: cannot be read" in said
    assert "client[3].further_definitions[1]: none.toml: cannot be read" in said
    assert "client[3].contract: none.toml: cannot be read" in said


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        read_config(tmp_path / "none.toml")


def test_check_config_prints_the_problems_and_exits_2(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = base / "seatwatch.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert run(["check-config", str(path)]) == 0
    assert "1 clients, 1 queues" in capsys.readouterr().out
    path.write_text(GOOD + '[[reader]]\nname = "tv"\ntoken_file = "tv.token"\n', encoding="utf-8")
    assert run(["check-config", str(path)]) == 2
    assert "reader[0].token_file" in capsys.readouterr().err


def test_check_config_speaks_chinese_around_keys_and_values(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = base / "seatwatch.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert run(["check-config", str(path), "--lang", "zh"]) == 0
    assert "：可用。客户 1 个，队列 1 条" in capsys.readouterr().out
    path.write_text(GOOD + '[[reader]]\nname = "tv"\ntoken_file = "tv.token"\n', encoding="utf-8")
    assert run(["check-config", str(path), "--lang", "zh"]) == 2
    key, problem, fix = capsys.readouterr().err.splitlines()
    assert key == f"{path}: reader[0].token_file"
    assert (problem[:5], fix[:5]) == ("  问题：", "  改法：")


def test_a_new_token_is_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "tokens" / "tv.token"
    assert run(["token", "new", str(path)]) == 0
    assert path.stat().st_mode & 0o077 == 0
    first = path.read_text(encoding="utf-8")
    assert len(first.strip()) >= 43
    assert run(["token", "new", str(path)]) == 2
    assert path.read_text(encoding="utf-8") == first


def test_a_live_source_that_promises_no_heartbeat_is_named_until_somebody_decided(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = base / "seatwatch.toml"
    for more, is_named in (
        ("", True),
        ("heartbeat_s = 10", False),
        ("heartbeat_s = 0", False),
        ('feed = "daily"', False),
    ):
        file.write_text(GOOD.replace('id = "chat/acme"', f'id = "chat/acme"\n{more}'), encoding="utf-8")
        assert run(["check-config", str(file)]) == 0
        assert ("note: source[0].heartbeat_s is not set: if chat/acme dies" in capsys.readouterr().out) is is_named


def test_a_source_s_heartbeat_is_a_promise_to_the_collector(base: Path) -> None:
    for more, heartbeat_ms in (("", 0), ("heartbeat_s = 10", 10_000)):
        config = parse_config(GOOD.replace('id = "chat/acme"', f'id = "chat/acme"\n{more}'), base=base)
        source = registered_sources(config, base, load_defaults()).get("chat/acme")
        assert source is not None
        assert source.heartbeat_ms == heartbeat_ms
    assert "source[0].heartbeat_s" in problems(
        GOOD.replace('id = "chat/acme"', 'id = "chat/acme"\nheartbeat_s = -1'), base
    )
