"""The demo's keys where there is nothing to press them on."""

import importlib.util
import sys

import pytest


def test_without_the_terminal_of_a_posix_system_the_demo_runs_without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in ("termios", "tty"):
        monkeypatch.setitem(sys.modules, missing, None)
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(getattr(sys, stream), "isatty", lambda: True)
    spec = importlib.util.find_spec("seatwatch.demo.keys")
    assert spec is not None
    assert spec.loader is not None
    keys = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(keys)
    pressed: list[str] = []
    with keys.key_presses(pressed.append) as has_keys:
        assert not has_keys
