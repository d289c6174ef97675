"""Real processes, real kills, a disk that fails: nothing acknowledged is lost, nothing is acknowledged in vain."""

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from ledger.fsck import check
from ledger.reader import LedgerReader
from ledger.segment import segment_numbers
from tests.integration.ledger_child import FAILED
from tests.ledger.building import EPOCH, SOURCE, append, open_writer
from tests.servers import DIES_WITH_THE_TESTS
from tests.tidy.source import ROOT

ROUNDS = 20
MANY = 1_000_000
MONTHLY = 40
CHILD = [sys.executable, "-m", "tests.integration.ledger_child"]


def start(directory: Path, *, batches: int, days: int, under: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*DIES_WITH_THE_TESTS, *under, *CHILD, str(directory), str(batches), str(days)],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},  # every call it makes to the disk is about the ledger
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def under_strace(log: Path, calls: str, inject: str) -> tuple[str, ...]:
    """What breaks some of `calls`. It is told of these alone: of every call of a start it would write a line."""
    return ("strace", "-f", "-qq", "-o", str(log), "-e", f"trace={calls}", "-e", inject)


def acknowledged(lines: list[str]) -> list[tuple[int, str]]:
    """(size, root) of each acknowledgement."""
    said = [line.split() for line in lines]
    return [(int(words[1]), words[2]) for words in said if words[0] == "acknowledged"]


def require_kept(directory: Path, acks: list[tuple[int, str]]) -> None:
    """Every acknowledged size is there, with the root it had then; and the whole is sound."""
    report = check(directory)
    assert report.problems == []
    reader = LedgerReader.open(directory)
    for size, root in acks:
        assert reader.root(size).hex() == root
    reader.close()


@pytest.mark.parametrize("days", [0, MONTHLY], ids=["in one segment", "with a new segment every commit"])
def test_twenty_kills_at_random_lose_nothing_acknowledged(tmp_path: Path, days: int) -> None:
    chance = random.Random(days)
    acks: list[tuple[int, str]] = []
    for _ in range(ROUNDS // 2):
        child = start(tmp_path, batches=MANY, days=days)
        assert child.stdout is not None
        wanted = chance.randint(1, 40 if days == 0 else 6)
        lines = read_lines(child.stdout, wanted)
        child.kill()
        lines += child.stdout.read().splitlines()
        assert child.wait() == -9
        child.communicate()
        acks += acknowledged(lines)
        require_kept(tmp_path, acks[-50:])
    sizes = [size for size, _ in acks]
    assert sizes == sorted(sizes)
    assert len(segment_numbers(tmp_path)) > 1 or days == 0
    writer = open_writer(tmp_path)
    assert writer.size >= sizes[-1]
    assert writer.mark(SOURCE, EPOCH) == writer.size  # one transaction: entries and their mark
    append(writer, [writer.size + 1], at=writer.last_received_at)
    writer.close()
    require_kept(tmp_path, acks)


def read_lines(stream: IO[str], count: int) -> list[str]:
    return [stream.readline() for _ in range(count)]


@pytest.mark.parametrize("days", [0, MONTHLY], ids=["in one segment", "with a new segment every commit"])
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("when", [1, 5, 14])
def test_a_failed_sync_ends_the_process_without_an_acknowledgement(
    tmp_path: Path, days: int, error: str, when: int
) -> None:
    open_writer(tmp_path).close()
    inject = f"inject=fdatasync,fsync:error={error}:when={when}+"
    child = start(
        tmp_path,
        batches=200,
        days=days,
        under=under_strace(tmp_path / "trace", "fdatasync,fsync", inject),
    )
    output, errors = child.communicate(timeout=60)
    assert child.returncode == FAILED, errors
    acks = acknowledged(output.splitlines())
    syncs = (tmp_path / "trace").read_text(encoding="utf-8").splitlines()
    assert any("(INJECTED)" in line for line in syncs)
    (tmp_path / "trace").unlink()
    assert len(acks) < when  # each acknowledgement took at least one sync that held
    require_kept(tmp_path, acks)
    writer = open_writer(tmp_path)
    assert writer.size >= (acks[-1][0] if acks else 0)
    append(writer, [writer.size + 1], at=writer.last_received_at)
    writer.close()
    assert check(tmp_path).problems == []


@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "fsync", "rename", "unlink", "ftruncate"])
def test_a_kill_at_any_system_call_around_a_new_segment_loses_nothing(tmp_path: Path, call: str) -> None:
    """The first occurrences of each call that touches the disk: opening, committing, sealing, building, renaming."""
    reached = 0
    for when in range(1, 9):
        directory = tmp_path / f"{when}"
        inject = f"inject={call}:signal=SIGKILL:when={when}"
        child = start(directory, batches=3, days=MONTHLY, under=under_strace(Path(os.devnull), call, inject))
        output, _ = child.communicate(timeout=60)
        if child.returncode == 0:
            break
        reached += 1
        acks = acknowledged(output.splitlines())
        writer = open_writer(directory)
        assert writer.size >= (acks[-1][0] if acks else 0)
        writer.close()
        require_kept(directory, acks)
    assert reached > 0
