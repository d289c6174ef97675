"""What no file of ours contains: postponed work, paths of one machine, hosts of registries, unexplained silence."""

import io
import re
import tokenize
from collections.abc import Iterator
from typing import Final

from tests.tidy.source import Finding, Source

# Written in parts, so that this file does not contain what it looks for.
POSTPONED: Final = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK")) + r")\b")
ONE_MACHINE: Final = ("wo" + "rk", "ro" + "ot", "ho" + r"me/\w+", "Us" + r"ers/\w+")
MACHINE_PATH: Final = re.compile(r"(?<![\w.~/-])/(" + "|".join(ONE_MACHINE) + r")(?=/|\b)")
REGISTRY_HOSTS: Final = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("tuna", "tsinghua", "edu", "cn"),
        ("mirrors", "aliyun", "com"),
    )
)
NOQA: Final = re.compile(r"#\s*noqa\b(?P<rest>.*)", re.IGNORECASE)
NOQA_REASON: Final = re.compile(r":\s*[A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*\s+-\s+\S+")
TYPE_IGNORE: Final = re.compile(r"#\s*type:\s*ignore(?P<rest>.*)")
TYPE_IGNORE_REASON: Final = re.compile(r"\[[a-z-]+(,\s*[a-z-]+)*\]\s+#\s*\S+")


def postponed_work(source: Source) -> Iterator[Finding]:
    for number, line in _lines(source):
        if found := POSTPONED.search(line):
            yield source.finding(number, f"{found[0]} in the text", "do it, or describe the limit in the documents")


def machine_paths(source: Source) -> Iterator[Finding]:
    for number, line in _lines(source):
        if found := MACHINE_PATH.search(line):
            yield source.finding(number, f"a path of one machine, {found[0]}", "use a path relative to the repository")


def registry_hosts(source: Source) -> Iterator[Finding]:
    for number, line in _lines(source):
        for host in REGISTRY_HOSTS:
            if host in line:
                instead = "leave the host to the reader's own configuration (PIP_INDEX_URL)"
                yield source.finding(number, f"the registry host {host}", instead)


def explained_silence(source: Source) -> Iterator[Finding]:
    """A silenced check names its code and says why."""
    if not source.is_python or not (NOQA.search(source.text) or TYPE_IGNORE.search(source.text)):
        return
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type != tokenize.COMMENT:
            continue
        silenced = NOQA.search(token.string)
        if silenced and not NOQA_REASON.match(silenced["rest"]):
            yield source.finding(token.start[0], "noqa without code or reason", "write `# noqa: CODE - why`")
        ignored = TYPE_IGNORE.search(token.string)
        if ignored and not TYPE_IGNORE_REASON.match(ignored["rest"]):
            instead = "write `# type: ignore[code]  # why`"
            yield source.finding(token.start[0], "type: ignore without code or reason", instead)


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    if not source.is_vendored:
        yield from enumerate(source.text.splitlines(), start=1)
