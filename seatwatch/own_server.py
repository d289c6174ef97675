"""Asking the server that holds a data directory, as its owner: it has the ledgers open, so only it can write.

* OwnServerError: the operator's to cure; the message says how.
"""

from pathlib import Path
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from collector.intake_http import MSGPACK
from seatwatch.runtime_file import Runtime, read_runtime
from seatwatch.settings import Defaults

# Format: statuses of RFC 9110.
_HTTP_OK: Final = 200


class OwnServerError(Exception):
    """The server could not be asked, or refused."""


async def post(data: Path, path: str, body: bytes, defaults: Defaults) -> bytes:
    """POST `body` (MessagePack) to `path` of the server over `data`; its answer. Raises OwnServerError, OSError."""
    runtime, token = _server(data)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": MSGPACK}
    timeout = ClientTimeout(total=defaults.seconds("collector.import_timeout"))
    try:
        async with (
            ClientSession(timeout=timeout) as session,
            session.post(f"{runtime.url.rstrip('/')}{path}", data=body, headers=headers) as response,
        ):
            if response.status != _HTTP_OK:
                raise OwnServerError(f"the server at {runtime.url} answered {response.status}: {await response.text()}")
            return await response.read()
    except (ClientError, TimeoutError) as error:
        raise OwnServerError(f"the server at {runtime.url} did not answer ({type(error).__name__})") from None


def _server(data: Path) -> tuple[Runtime, str]:
    runtime = read_runtime(data)
    if runtime is None or not runtime.token_file:
        raise OwnServerError(f"{data} is held by another process that takes no orders; stop it and try again")
    return runtime, Path(runtime.token_file).read_text(encoding="utf-8").strip()
