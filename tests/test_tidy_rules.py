"""Each house rule, shown a small file that breaks it and one that keeps it."""

from pathlib import PurePosixPath

import pytest

from tests.tidy.asynchrony import bounded_queues, decoders_made_at_import, named_tasks
from tests.tidy.circles import circles
from tests.tidy.layers import core_purity, import_direction
from tests.tidy.rules import RULES, Rule
from tests.tidy.script_numbers import reasons_at_boot, script_thresholds
from tests.tidy.sizes import function_size, module_size
from tests.tidy.source import Source
from tests.tidy.testing import dies_with_the_tests, no_sleeps, says_something
from tests.tidy.text import explained_silence, machine_paths, postponed_work, registry_hosts
from tests.tidy.thresholds import threshold_literals
from tests.tidy.words import screen_words

LONG_FUNCTION = "def long() -> None:\n" + "    work()\n" * 59
NEARLY_LONG_FUNCTION = "def nearly() -> None:\n" + "    work()\n" * 58

# Each: the rule, a path, what the file holds, and what the finding says.
BROKEN = [
    (import_direction, "wire/codec.py", "import ledger", "wire imports ledger"),
    (import_direction, "ledger/writer.py", "from collector.intake import door", "ledger imports collector.intake"),
    (import_direction, "agent_probe/runner.py", "from ledger import entry", "agent_probe imports ledger"),
    (
        import_direction,
        "collector/feed.py",
        "from seatwatch.settings import load_defaults",
        "imports seatwatch.settings",
    ),
    (
        import_direction,
        "dashboards/exporter.py",
        "def f():\n    import sla_engine.runners",
        "imports sla_engine.runners",
    ),
    (import_direction, "dashboards/exporter.py", "import_module('sla_engine')", "dashboards imports sla_engine"),
    (import_direction, "seatwatch/up.py", "from tests.builders import transcript", "a package imports tests.builders"),
    (core_purity, "sla_engine/_core/engine.py", "import asyncio", "imports asyncio"),
    (core_purity, "sla_engine/_core/engine.py", "from time import monotonic", "imports time"),
    (core_purity, "collector/_core/admission.py", "import redis.asyncio", "imports redis.asyncio"),
    (core_purity, "collector/_core/admission.py", "import logging.config", "imports logging.config"),
    (core_purity, "sla_engine/_core/a.py", "SHARE = 0.8", "float literal 0.8"),
    (core_purity, "sla_engine/_core/a.py", "share = met / owed", "true division"),
    (core_purity, "sla_engine/_core/a.py", "share /= 2", "true division"),
    (core_purity, "sla_engine/_core/a.py", "def f(share: float) -> None: ...", "float in _core"),
    (core_purity, "sla_engine/_core/a.py", "at = datetime.now(UTC)", "datetime.now() in _core"),
    (core_purity, "sla_engine/_core/a.py", "wait = (b - a).total_seconds()", "total_seconds() in _core"),
    (core_purity, "sla_engine/_core/a.py", "print(board)", "print() in _core"),
    (core_purity, "sla_engine/_core/a.py", "shard = hash(key) % 8", "hash() in _core"),
    (core_purity, "dashboards/wallboard/_core/board.py", "async def f() -> None: ...", "waiting in _core"),
    (module_size, "bench/bench_fold.py", "x = 1\n" * 400, "400 lines"),
    (module_size, "dashboards/static/board.js", "let x;\n" * 400, "400 lines"),
    (function_size, "tests/test_it.py", LONG_FUNCTION, "long has 60 lines"),
    (postponed_work, "docs/start.md", "Later. TO" + "DO: write this", "TO" + "DO in the text"),
    (postponed_work, "wire/ids.py", "# FIX" + "ME: this is wrong", "FIX" + "ME in the text"),
    (machine_paths, "Makefile", "PYTHON := /ro" + "ot/venv/bin/python", "a path of one machine, /ro" + "ot"),
    (machine_paths, "docs/start.md", "cd /ho" + "me/li/seatwatch", "a path of one machine, /ho" + "me/li"),
    (registry_hosts, "requirements/base.txt", "--index-url https://py" + "pi.org/simple", "the registry host"),
    (explained_silence, "wire/ids.py", "x = eval(y)  # noqa", "noqa without code or reason"),
    (explained_silence, "wire/ids.py", "x = eval(y)  # noqa: S307", "noqa without code or reason"),
    (explained_silence, "wire/ids.py", "x = f()  # type: ignore[no-any-return]", "type: ignore without code or reason"),
    (screen_words, "dashboards/wallboard/page.py", 'TITLE = "最长等待"', "Chinese text, 最"),
    (screen_words, "dashboards/wallboard/page.py", 'title = f"等待 {n}"', "Chinese text, 等"),
    (screen_words, "dashboards/static/board.js", 'label.textContent = "等待";', "Chinese text, 等"),
    (screen_words, "dashboards/static/index.html", "<h1>达标率</h1>", "Chinese text, 达"),
    (screen_words, "dashboards/static/index.html", "<h1>Service</h1>", "English text, Service"),
    (screen_words, "dashboards/static/index.html", "<p>\n{{ words.a }} of\n</p>", "English text, of"),
    (screen_words, "dashboards/static/index.html", '<img alt="a {{ words.a }} view">', "English text, view"),
    (screen_words, "dashboards/static/index.html", '<input placeholder="Name">', "English text, Name"),
    (screen_words, "dashboards/static/index.html", '<a aria-label="Go back" href="/a">', "English text, Go"),
    (screen_words, "collector/page.py", 'HEADS = "<tr><th>field</th></tr>"', "English text, field"),
    (screen_words, "collector/page.py", 'row = f"<td>{name} or so</td>"', "English text, or"),
    (screen_words, "dashboards/static/board.js", 'label.textContent = "Waiting";', "English text, Waiting"),
    (screen_words, "dashboards/static/board.js", 'label.title = late ? "Late" : w("fine");', "English text, Late"),
    (screen_words, "dashboards/static/board.js", "setText(this.head, `${n} calls`);", "English text, calls"),
    (screen_words, "dashboards/static/board.js", 'made.setAttribute("aria-label", "Seat");', "English text, Seat"),
    (screen_words, "dashboards/static/board.js", 'list.append(node("p", "nothing", "No seats"));', "English text, No"),
    (screen_words, "dashboards/static/board.js", "made.setAttribute('title', 'Seat');", "English text, Seat"),
    (screen_words, "dashboards/static/board.js", "list.append('No seats');", "English text, No"),
    (screen_words, "dashboards/static/board.js", 'a.append(document.createTextNode("Late"));', "English text, Late"),
    (screen_words, "dashboards/static/board.js", 'a.insertAdjacentHTML("end", `<p>Late</p>`);', "English text, Late"),
    (screen_words, "dashboards/static/board.css", '.old::after { content: "stale"; }', "English text, stale"),
    (threshold_literals, "collector/intake.py", "FLUSH_INTERVAL_MS = 50", "FLUSH_INTERVAL_MS = 50"),
    (threshold_literals, "collector/intake.py", "QUEUE_BYTES_MAX: Final = 64 * 1024", "QUEUE_BYTES_MAX = 65536"),
    (threshold_literals, "collector/intake.py", "self._retry_s = 2.5", "_retry_s = 2.5"),
    (threshold_literals, "agent_probe/uplink.py", "async def f(*, timeout: float = 5) -> None: ...", "timeout = 5"),
    (threshold_literals, "agent_probe/uplink.py", "def f(a, rows=500): ...", "rows = 500"),
    (threshold_literals, "agent_probe/uplink.py", "connect(host, timeout=30)", "timeout = 30"),
    (threshold_literals, "seatwatch/up.py", "app = Application(client_max_size=2, max_size=9)", "client_max_size = 2"),
    (threshold_literals, "seatwatch/up.py", "low_s, high_s = 3, 9", "low_s = 3"),
    (threshold_literals, "sla_engine/options.py", "class O(Struct):\n    warn_ratio: float = 0.8", "warn_ratio = 0.8"),
    (threshold_literals, "sla_engine/_core/verdict.py", "_MISSED: Final = 2", "_MISSED = 2"),
    (threshold_literals, "sla_engine/_core/verdict.py", '_PROMPT = 4\n"""Beats."""', "_PROMPT = 4"),
    (threshold_literals, "agent_probe/outbox.py", "KEPT: Final = 1 << 14", "KEPT = 16384"),
    (threshold_literals, "agent_probe/outbox.py", "LASTS: Final = timedelta(days=3)", "days = 3"),
    (threshold_literals, "agent_probe/outbox.py", "TRIED = range(5)", "TRIED = 5"),
    (threshold_literals, "agent_probe/outbox.py", "STEPS: Final = (2, 5, 10)", "STEPS = 2"),
    (threshold_literals, "agent_probe/outbox.py", 'KEPT: Final = {"low": 7}', "KEPT = 7"),
    (threshold_literals, "agent_probe/outbox.py", "class Outbox:\n    parts = 16", "parts = 16"),
    (threshold_literals, "agent_probe/outbox.py", "LONG_MS: Final = 3 * MINUTE_MS", "LONG_MS = 180000"),
    (threshold_literals, "agent_probe/outbox.py", "MS_PER_S: Final = 100", "MS_PER_S = 100"),
    (threshold_literals, "agent_probe/outbox.py", "_PERCENT: Final = 95", "_PERCENT = 95"),
    (threshold_literals, "agent_probe/outbox.py", "ASKED: Final = 3  # Format:", "ASKED = 3"),
    (threshold_literals, "agent_probe/outbox.py", "# Format: RFC 1.\nA = 2\n\nB: Final = 3", "B = 3"),
    (threshold_literals, "agent_probe/outbox.py", "# Batch: of a read.\nA = 2\nAGAIN: Final = 3", "AGAIN = 3"),
    (threshold_literals, "agent_probe/outbox.py", '"""Batch: of all."""\nKEPT = 3', "KEPT = 3"),
    (threshold_literals, "seatwatch/up.py", "def f(a, tries=3): ...", "tries = 3"),
    (threshold_literals, "seatwatch/up.py", "def f(*, tries=3): ...", "tries = 3"),
    (threshold_literals, "seatwatch/up.py", "read(stream, count=10)", "count = 10"),
    (threshold_literals, "seatwatch/up.py", "Option(min=1, max=50)", "max = 50"),
    (threshold_literals, "seatwatch/up.py", "async def f():\n    await asyncio.sleep(0.5)", "sleep of 0.5"),
    (threshold_literals, "seatwatch/up.py", "async def f():\n    async with asyncio.timeout(5): ...", "timeout of 5"),
    (threshold_literals, "seatwatch/up.py", "wait_for(answer(), 10)", "wait_for of 10"),
    (threshold_literals, "seatwatch/up.py", "ClientTimeout(total=30)", "total = 30"),
    (threshold_literals, "seatwatch/up.py", "loop.call_later(2, again)", "call_later of 2"),
    (threshold_literals, "seatwatch/up.py", "wait(max(500, drawn))", "max of 500"),
    (threshold_literals, "seatwatch/up.py", "act_at(now + random.randrange(200, 2000))", "randrange of 200"),
    (threshold_literals, "seatwatch/up.py", "if len(sites) >= 2: ...", "compared with 2"),
    (
        threshold_literals,
        "seatwatch/up.py",
        "if late_ms > 3 * beat.interval_ms: ...",
        "a multiple or part of something by 3",
    ),
    (threshold_literals, "seatwatch/up.py", "sleep(limits.report_s / 10)", "a multiple or part of something by 10"),
    (threshold_literals, "seatwatch/up.py", "for _ in range(5): ...", "range of 5"),
    (threshold_literals, "seatwatch/up.py", "while 3 < tries: ...", "compared with 3"),
    (threshold_literals, "seatwatch/up.py", "if lasted > 8 * MINUTE_MS: ...", "compared with 480000"),
    (threshold_literals, "seatwatch/up.py", "if now > since + 5000: ...", "compared with 5000"),
    (threshold_literals, "seatwatch/up.py", "if since < now - 2 * a - 5000: ...", "compared with 5000"),
    (threshold_literals, "seatwatch/up.py", "async def f():\n    await asyncio.sleep(drawn + 7)", "sleep of 7"),
    (threshold_literals, "seatwatch/up.py", "rows = asked or 250", "or else 250"),
    (threshold_literals, "seatwatch/up.py", "connect(asked.get('timeout', 30))", "get else 30"),
    (threshold_literals, "seatwatch/up.py", "shown = names[:8]", "cut off at 8"),
    (threshold_literals, "seatwatch/up.py", "told = complaint[-500:]", "cut off before -500"),
    (script_thresholds, "dashboards/lead/static/team.js", "const FAILED_MS = 4000;", "FAILED_MS = 4000"),
    (script_thresholds, "dashboards/lead/static/team.js", "export const ROWS = 7; // rows", "ROWS = 7"),
    (script_thresholds, "dashboards/lead/static/team.js", "const MINUTE_MS = 6000;", "MINUTE_MS = 6000"),
    (script_thresholds, "dashboards/lead/static/team.js", "setTimeout(again, 5);", "a timer of 5 ms"),
    (script_thresholds, "dashboards/lead/static/team.js", "setInterval(() => {\n  look();\n}, 250);", "a timer of 250"),
    (script_thresholds, "dashboards/lead/static/team.js", "if (age > 20 * 3600 * 1000) old();", "the number 20"),
    (script_thresholds, "dashboards/lead/static/team.js", "if (age > 3 * 1000) old();", "the number 3"),
    (reasons_at_boot, "deploy/systemd/probe.service", "[Service]\nRestartSec=2", "RestartSec=2"),
    (reasons_at_boot, "deploy/systemd/probe.service", "# too\nMemoryMax=128M", "MemoryMax=128M"),
    (reasons_at_boot, "tools/setup.sh", "until up; do sleep 1; done", "sleep 1"),
    (reasons_at_boot, "tools/setup.sh", "curl -s -m 30 --retry=5 $PAGE", "-m 30"),
    (named_tasks, "collector/feed.py", "tg.create_task(pump())", "tg.create_task without a name"),
    (bounded_queues, "collector/feed.py", "q = asyncio.Queue()", "asyncio.Queue without a limit"),
    (bounded_queues, "collector/feed.py", "q = Queue(maxsize=0)", "Queue without a limit"),
    (
        decoders_made_at_import,
        "sla_engine/reports/stored.py",
        "def f(b):\n    return msgspec.msgpack.decode(b, type=Fact)",
        "msgspec.msgpack.decode with a type",
    ),
    (
        decoders_made_at_import,
        "seatwatch/roster_job.py",
        "async def f(b):\n    return msgspec.json.Decoder(Answer).decode(b)",
        "msgspec.json.Decoder in a function",
    ),
    (no_sleeps, "tests/collector/test_feed.py", "import time\ntime.sleep(1)", "time.sleep in a test"),
    (no_sleeps, "tests/sim/world.py", "async def f():\n    await asyncio.sleep(0.1)", "asyncio.sleep in a test"),
    (says_something, "tests/wire/test_ids.py", "def test_ids() -> None:\n    ids()", "test_ids asserts nothing"),
    (
        says_something,
        "tests/wire/test_ids.py",
        "def test_ids() -> None:\n    wait_until(ids)",
        "test_ids asserts nothing",
    ),
    (
        dies_with_the_tests,
        "tests/integration/running.py",
        "def run():\n    command = [sys.executable]\n    subprocess.Popen(command)",
        "subprocess.Popen of what outlives a killed test",
    ),
]

# Each: the rule, a path, and what the file holds.
KEPT = [
    (import_direction, "ledger/writer.py", "from wire.ids import SourceId\nimport ledger.entry\nimport sqlite3"),
    (import_direction, "seatwatch/up.py", "import collector\nimport agent_probe\nimport dashboards"),
    (import_direction, "tests/sim/world.py", "import collector\nimport agent_probe"),
    (
        core_purity,
        "sla_engine/_core/calendar.py",
        "from datetime import datetime, timedelta\nday = a // timedelta(days=1)",
    ),
    (core_purity, "sla_engine/runners/local.py", "import asyncio\nshare = met / owed"),
    (module_size, "wire/ids.py", "x = 1\n" * 399),
    (module_size, "dashboards/static/vendor/chart.js", "let x;\n" * 4000),
    (function_size, "wire/ids.py", NEARLY_LONG_FUNCTION),
    (postponed_work, "docs/start.md", "A method, a hackney carriage and a todo list."),
    (machine_paths, "docs/start.md", "the route /v1/root, the folder ../work/data and ~/work"),
    (registry_hosts, "Makefile", "PIP_INDEX_URL names the index"),
    (explained_silence, "wire/ids.py", "x = eval(y)  # noqa: S307, PGH001 - the text is a constant\n"),
    (explained_silence, "wire/ids.py", "x = f()  # type: ignore[no-any-return]  # the library is untyped\n"),
    (screen_words, "wire/ids.py", '"""等待 is waiting."""\n# 达标率\nclass A:\n    "首响"\n'),
    (screen_words, "dashboards/static/board.js", "// 等待\nconst url = 'http://a';\n/* 首响\n */"),
    (screen_words, "tests/seatwatch/test_import.py", 'HEADER = "队列"'),
    (screen_words, "dashboards/static/board.css", '.old::after { content: "\\00a0 \\00d7"; }'),
    (
        screen_words,
        "dashboards/static/index.html",
        '<h1 title="{{ words.a }}">{% if b %}{{ words.c }}{% endif %} · Seatwatch</h1>',
    ),
    (
        screen_words,
        "dashboards/static/index.html",
        '<label class="long">{{ words.a }}<input name="typed" type="text"></label>',
    ),
    (
        screen_words,
        "dashboards/static/index.html",
        "<style>p { color: red }</style><code>Accept</code><a href='/b'>CSV</a>",
    ),
    (screen_words, "collector/page.py", 'row = f\'<td class="a">{name}</td>\'\nUSE = "clients/<client> of a folder"'),
    (
        screen_words,
        "dashboards/static/board.js",
        'setText(b, w(late ? "is_late" : "fine"));\nb.title = w("x");\nb.name = "Late one";',
    ),
    (screen_words, "dashboards/static/board.js", 'list.append(w("a"), " ", made);\nparams.append(key, value);'),
    (
        screen_words,
        "dashboards/static/board.js",
        'setText(b, tone === "good" ? "" : w(a));\nlist.append(node("p", "big row", w("a"), " "));',
    ),
    (threshold_literals, "wire/limits.py", "FRAME_BYTES_MAX: Final = 64 * 1024"),
    (threshold_literals, "ledger/writer.py", "MS_PER_S = 1000\nDAY_MS = 86_400_000\nopen_rows = 0\nlast_max = -1"),
    (threshold_literals, "ledger/writer.py", "timeout_s = settings.seconds('ledger.lock_timeout')\nmax_rows = None"),
    (threshold_literals, "tests/ledger/test_writer.py", "timeout_s = 5"),
    (
        threshold_literals,
        "ledger/writer.py",
        "_PERCENT: Final = 100\nHALF_HOUR_MS = 30 * MINUTE_MS\nMINUTES_PER_DAY = 24 * 60",
    ),
    (threshold_literals, "ledger/writer.py", "class Lane(IntEnum):\n    NOW = 2"),
    (threshold_literals, "ledger/writer.py", "EPOCH = datetime(1970, 1, 1, tzinfo=UTC)\nTAG = 0x30\nf(mode=0o600)"),
    (threshold_literals, "ledger/writer.py", 'ASKS = frozenset({401, 407})\nWORDS = {401: "who", 407: "proxy"}'),
    (threshold_literals, "ledger/writer.py", "# Format: RFC 3261, section 8.\nBRIEF: Final = 423\nLONG: Final = 424"),
    (threshold_literals, "ledger/writer.py", "COLUMNS = 140  # Layout: of a table"),
    (
        threshold_literals,
        "ledger/writer.py",
        '"""Tags.\n\nFormat: DER of X.690.\n"""\nSEQUENCE = 48\nif size < 128: ...',
    ),
    (
        threshold_literals,
        "ledger/writer.py",
        "if len(parts) == 3 and words[:2] == ['BEGIN', 'LIST']: ...\nrow = (*row[:4], key)",
    ),
    (
        threshold_literals,
        "ledger/writer.py",
        "clock = text[11:16]\nrest = row[2:]\nbare = text[:-4]\nkey = h.digest()[:8]",
    ),
    (
        threshold_literals,
        "ledger/writer.py",
        "if len(sites) >= limits.sites_agree and n > 1: ...\npause_ms = 2 * self._pause_ms",
    ),
    (threshold_literals, "ledger/writer.py", "async def f():\n    await asyncio.sleep(settings.look_ms / 1000)"),
    (threshold_literals, "ledger/writer.py", "web.Response(status=503)"),
    (
        threshold_literals,
        "ledger/writer.py",
        "wait(age_s * 1000)\nif n > 2 * limits.most or n < size // 2: ...\nrow = (None,) * 7",
    ),
    (threshold_literals, "ledger/writer.py", "for at in range(1, size): ...\nat = mask & 15"),
    (threshold_literals, "ledger/writer.py", "if at + 1 < size - 1 or n > len(row) - shown.get(key, 0): ..."),
    (
        script_thresholds,
        "dashboards/lead/static/team.js",
        "// Layout: px of a seat.\nconst SIZE = { least: 18, most: 72 };",
    ),
    (script_thresholds, "dashboards/lead/static/team.js", "const MINUTE_MS = 60000;\nconst HEAD_REM = 2.1;"),
    (
        script_thresholds,
        "dashboards/lead/static/team.js",
        "setTimeout(again, setting('leaveAgainMs'));\nsetTimeout(f, 0);",
    ),
    (
        script_thresholds,
        "dashboards/lead/static/team.js",
        "if (answer.status === 401 || s.status >= 500) go(`a 99`); // 99\nx = ms / 1000;",
    ),
    (reasons_at_boot, "deploy/systemd/probe.service", "# As long as a heartbeat takes.\nRestartSec=2\nStartLimit=no"),
    (named_tasks, "collector/feed.py", 'tg.create_task(pump(), name="collector.pump")'),
    (bounded_queues, "collector/feed.py", "q = asyncio.Queue(maxsize=limit)\np = asyncio.Queue(limit)"),
    (decoders_made_at_import, "wire/codec.py", "_decode = msgspec.msgpack.Decoder(Frame).decode\ntext = b.decode()"),
    (no_sleeps, "tests/sim/world.py", "async def f():\n    await asyncio.sleep(0)"),
    (no_sleeps, "tests/waiting.py", "time.sleep(0.01)"),
    (
        says_something,
        "tests/wire/test_ids.py",
        "def test_a() -> None:\n    with pytest.raises(ValueError):\n        ids()",
    ),
    (
        says_something,
        "tests/wire/test_ids.py",
        "def test_b() -> None:\n    assert ids()\n\n\ndef helper() -> None: ...",
    ),
    (
        dies_with_the_tests,
        "tests/integration/running.py",
        "def run():\n    command = [*DIES_WITH_THE_TESTS, sys.executable]\n    subprocess.Popen(command)",
    ),
]


@pytest.mark.parametrize(("rule", "path", "text", "said"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_a_breach_is_found_and_named(rule: Rule, path: str, text: str, said: str) -> None:
    findings = [str(finding) for finding in rule(Source(PurePosixPath(path), text))]
    assert findings, f"{rule.__name__} lets it pass"
    assert said in findings[0]
    assert ". Instead: " in findings[0]


@pytest.mark.parametrize(("rule", "path", "text"), KEPT, ids=lambda value: getattr(value, "__name__", None))
def test_what_keeps_the_rule_passes(rule: Rule, path: str, text: str) -> None:
    assert [str(finding) for finding in rule(Source(PurePosixPath(path), text))] == []


def test_every_rule_has_a_breach_and_a_file_that_keeps_it() -> None:
    assert {rule for rule, *_ in BROKEN} == set(RULES) == {rule for rule, *_ in KEPT}


def test_modules_that_import_each_other_are_found_however_late_they_do() -> None:
    texts = {
        "wire/a.py": "from wire import b",
        "wire/b.py": "def late():\n    from wire.c import name",
        "wire/c.py": "import wire.a",
        "wire/d.py": "from wire.a import name",
    }
    assert circles(Source(PurePosixPath(path), text) for path, text in texts.items()) == [
        ["wire.a", "wire.b", "wire.c"]
    ]
