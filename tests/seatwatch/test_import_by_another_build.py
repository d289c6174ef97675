"""What an import of a queue_log leaves for the next one carries a version."""

from pathlib import Path

import msgspec
import pytest

from collector.importers._core import queue_story
from collector.importers.queue_log import Part
from seatwatch.cli import run
from tests.seatwatch.test_import_queue_log import ROWS, arguments, imported, log
from tests.shapes import shape_of


@pytest.mark.parametrize("left", [{"calls": 1}, {"version": 0}])
def test_a_log_is_not_gone_on_with_from_what_another_build_left_open(
    left: dict[str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "queue_log.1").write_text(log(*ROWS[:4]), encoding="utf-8")
    (tmp_path / "queue_log").write_text(log(*ROWS[4:]), encoding="utf-8")
    assert run(arguments(tmp_path, "queue_log.1", "queue_log")) == 0
    noted = tmp_path / "data" / "imports" / "acme.queue-log"
    parts = msgspec.msgpack.decode(noted.read_bytes(), type=list[Part])
    before = msgspec.msgpack.decode(parts[0].state)
    older = msgspec.msgpack.encode({**before, **left})
    noted.write_bytes(msgspec.msgpack.encode([msgspec.structs.replace(part, state=older) for part in parts]))
    whole = imported(tmp_path)
    capsys.readouterr()
    assert run(arguments(tmp_path, "queue_log")) == 2
    assert "queue_log: continues a log that another build imported; name the older parts" in capsys.readouterr().err
    assert run(arguments(tmp_path, "queue_log.1", "queue_log")) == 0
    assert imported(tmp_path) == whole


def test_a_change_of_what_a_log_leaves_open_is_a_version_of_its_own() -> None:
    assert (queue_story.STATE_VERSION, shape_of(queue_story._StoryState)) == (1, "c4b1028b6452")
