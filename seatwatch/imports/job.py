"""One import from end to end: over the ledgers themselves, or through the door of the server that holds them.

* JobError: the operator's to cure; the message says how.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from aiohttp import ClientSession, ClientTimeout

from collector.importers.delivery import Delivered, Delivery, DeliverySettings, Reading
from collector.importers.doors import Door, DoorError, HttpDoor, IntakeDoor
from collector.importers.reading import ReadingSettings
from collector.importers.tables import TableLimits
from collector.sources import Source
from ledger.errors import LedgerBusy
from seatwatch.clock import now_ms
from seatwatch.config import ConfigError
from seatwatch.importing import local_intake
from seatwatch.runtime_file import Runtime, read_runtime
from seatwatch.settings import Defaults

DEFAULT_DEFINITION = "contract-10s"


class JobError(Exception):
    """The import could not begin or end."""


class Rules(NamedTuple):
    """The rules for the client's ledger: a preset or a file from `base`. asked: even if there are some already."""

    definition: str
    base: Path
    asked: bool


class Job(NamedTuple):
    """What to import and as whom. source: as it is registered where nobody else did."""

    reading: Reading
    source: Source
    data: Path
    rules: Rules
    token_file: Path | None
    speed: float | None
    progress: Callable[[int], None]


def reading_settings(defaults: Defaults) -> ReadingSettings:
    """Limits of reading a file that is delivered from now on."""
    return ReadingSettings(
        events_sorted=defaults.int("collector.import_events_sorted"),
        ids_remembered=defaults.int("collector.import_ids_remembered"),
        rows_remembered=defaults.int("collector.import_rows_remembered"),
        rows_noted=defaults.int("collector.import_rows_noted"),
        rows_looked_at=defaults.int("collector.import_rows_looked_at"),
        rejected_listed=defaults.int("collector.import_rejected_listed"),
        cells_remembered=defaults.int("collector.import_cells_remembered"),
        workbook=defaults.fill(TableLimits, "collector", prefix="import_"),
        call_longest_ms=defaults.ms("collector.import_call_longest"),
        latest=now_ms() + defaults.ms("collector.future_tolerance"),
    )


async def run(job: Job, defaults: Defaults) -> Delivered:
    """Deliver the file. JobError; LedgerError and OSError when the disk does not serve."""
    problem: str
    try:
        async with local_intake(job.data, [job.source.client], [job.source], defaults) as local:
            try:
                if job.rules.asked or not local.has_rules(job.source.client):
                    await local.publish_rules(job.source.client, job.rules.definition, job.rules.base)
                return await _deliver(job, IntakeDoor(local.intake, job.source.id), defaults)
            except (DoorError, ConfigError) as error:  # out of the task group as what it is
                problem = str(error)
        raise JobError(problem)
    except LedgerBusy:
        return await _through_server(job, defaults)


async def _through_server(job: Job, defaults: Defaults) -> Delivered:
    runtime = read_runtime(job.data)
    if runtime is None:
        raise JobError(
            f"{job.data} is held by another process that does not say where it is; try again when it has ended"
        )
    if job.rules.asked:
        raise JobError("--definition: the running server takes rules from its configuration; name the definition there")
    token = _token(job, runtime)
    timeout = ClientTimeout(total=defaults.seconds("collector.import_timeout"))
    async with ClientSession(timeout=timeout) as session:
        door = HttpDoor(
            session,
            runtime.url,
            token,
            attempts_max=defaults.int("collector.import_attempts"),
            retry_ms=defaults.ms("collector.import_retry"),
        )
        try:
            return await _deliver(job, door, defaults)
        except DoorError as error:
            raise JobError(error.problem) from None


def _token(job: Job, runtime: Runtime) -> str:
    file = job.token_file or (Path(runtime.token_file) if runtime.token_file else None)
    if file is None:
        raise JobError(
            f"a server runs over {job.data}; name the token file of the source {job.source.id} with --token-file"
        )
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise JobError(f"{file}: the token cannot be read ({type(error).__name__})") from None
    if not token:
        raise JobError(f"{file}: the token file is empty")
    return token


async def _deliver(job: Job, door: Door, defaults: Defaults) -> Delivered:
    settings = DeliverySettings(
        frame_span_ms=defaults.ms("collector.import_frame_span"),
        rejected_listed=defaults.int("collector.import_rejected_listed"),
    )
    return await Delivery(job.reading, door, job.source.id, settings).run(speed=job.speed, progress=job.progress)
