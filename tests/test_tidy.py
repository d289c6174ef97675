"""The house rules, applied to every file of the repository."""

from functools import cache

import pytest

from tests.tidy.circles import circles
from tests.tidy.rules import RULES, Rule
from tests.tidy.source import PACKAGES, ROOT, Source, repository


@cache
def sources() -> tuple[Source, ...]:
    return tuple(repository())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_file_breaks(rule: Rule) -> None:
    findings = [str(finding) for source in sources() for finding in rule(source)]
    assert not findings, "\n" + "\n".join(findings)


def test_no_modules_import_each_other() -> None:
    assert circles(sources()) == []


def test_every_package_is_looked_at() -> None:
    assert {source.package for source in sources()} - {None} == set(PACKAGES)


def test_every_package_says_what_it_is_for() -> None:
    for name in PACKAGES:
        assert (ROOT / name / "__init__.py").read_text(encoding="utf-8").startswith('"""'), name
