"""Turns every skipped and every expected failure into a failure: a test either says something or is not there.

A missing server is not a reason to skip either; `make system` installs them.
"""

from collections.abc import Generator

import pytest

REASON = "Skipped tests prove nothing. Give the test what it needs (make system), or delete it.\n\n"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{REASON}{item.nodeid}: {report.longrepr}"
        report.__dict__.pop("wasxfail", None)  # pytest counts no failure while this is there
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{REASON}{collector.nodeid}: {report.longrepr}"
    return report
