import asyncio
from contextlib import suppress
from pathlib import Path

from collector._core import derived
from collector.checkpoints import Checkpoints, CheckpointSettings
from collector.committer import Appended
from collector.ledgers import ledger_directory
from ledger.checkpoint import Checkpoint, Signer, Verifier, open_checkpoint
from ledger.fsck import check
from ledger.merkle import verify_consistency
from tests.collector.running import CLIENT, Hub, running_hub
from tests.collector.store import frame, item, turn
from tests.waiting import wait_until

SETTINGS = CheckpointSettings(checkpoint_interval_ms=60_000, checkpoint_quiet_entries=5)


def signer_of(directory: Path) -> Signer:
    return Signer.open(directory / "keys" / "checkpoints.key", authority="hub.example.com")


def notes(hub: Hub, client: str = CLIENT) -> list[Checkpoint]:
    """What the notes of a ledger say, each held to the key beside them."""
    folder = ledger_directory(hub.directory, client) / "checkpoints"
    key = folder / "vkey"  # written before the first note
    if not key.exists():
        return []
    verifier = Verifier(key.read_text(encoding="utf-8"))
    return [open_checkpoint(path.read_text(encoding="utf-8"), [verifier]) for path in sorted(folder.glob("*.note"))]


async def tell(hub: Hub, *sequences: int) -> None:
    await hub.intake.submit(frame(*(item(n, turn(f"c-{n}")) for n in sequences)), hub.principal())


async def pass_minute(hub: Hub, client: str = CLIENT) -> Appended:
    hub.now += 60_000
    return await hub.intake.append_derived(client, [derived.clock(hub.intake.ledgers[client].ledger_id, hub.now)])


async def test_what_was_told_is_signed_and_each_note_continues_the_one_before(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        checkpoints = Checkpoints(hub.intake, signer_of(tmp_path), SETTINGS)
        await tell(hub, 1, 2)
        await checkpoints.tick()
        await tell(hub, 3)
        await checkpoints.tick()
        first, second = notes(hub)
        reader = hub.intake.ledgers[CLIENT].reader
        proof = reader.consistency_proof(first.size, second.size)
        assert verify_consistency(first.size, second.size, first.root, second.root, proof)
        assert second.size == hub.intake.ledgers[CLIENT].size
        assert check(ledger_directory(tmp_path, CLIENT), problems_max=10).checkpoints == 2


async def test_mere_time_is_signed_rarely(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        checkpoints = Checkpoints(hub.intake, signer_of(tmp_path), SETTINGS)
        await tell(hub, 1)
        signed = []
        for _ in range(12):
            await checkpoints.tick()
            signed.append(len(notes(hub)))
            await pass_minute(hub)
        assert signed == [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3]


async def test_a_ledger_nobody_told_anything_is_not_signed(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        await Checkpoints(hub.intake, signer_of(tmp_path), SETTINGS).tick()
        assert notes(hub) == []


async def test_what_came_last_is_signed_when_the_server_stops(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        checkpoints = Checkpoints(hub.intake, signer_of(tmp_path), SETTINGS)
        await tell(hub, 1)
        task = asyncio.get_running_loop().create_task(checkpoints.run(), name="checkpoints")
        await wait_until(lambda: bool(notes(hub)), what="the first note")
        await tell(hub, 2)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert notes(hub)[-1].size == hub.intake.ledgers[CLIENT].size


async def test_a_history_that_does_not_continue_what_was_signed_is_not_signed_and_the_hub_goes_on(
    tmp_path: Path,
) -> None:
    signer = signer_of(tmp_path)
    async with running_hub(tmp_path) as hub:
        ledger_id = hub.intake.ledgers[CLIENT].ledger_id
        signer.sign(ledger_id, 1000, b"\x01" * 32, lambda _, __: [])
        checkpoints = Checkpoints(hub.intake, signer, SETTINGS)
        await tell(hub, 1)
        await checkpoints.tick()
        await tell(hub, 2)
        await checkpoints.tick()
        assert notes(hub) == []
        assert hub.died == []
