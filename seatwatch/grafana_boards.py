"""The Grafana boards of this installation, and how they are handed to a Grafana."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from dashboards.grafana.boards import documents
from dashboards.grafana.frame import TAG, GrafanaSettings
from seatwatch.glossary import words
from seatwatch.settings import Defaults

FOLDER: Final = {"uid": TAG, "title": "Seatwatch"}


class PushFailed(Exception):
    """A Grafana could not be reached or did not take a board: says which, and what to do."""


def boards(defaults: Defaults, scrape_job: str) -> dict[str, dict[str, Any]]:
    """Every board as JSON by its file's name. scrape_job: under which name Prometheus scrapes the server."""
    settings = defaults.fill(
        GrafanaSettings,
        "grafana",
        scrape_job=scrape_job,
        average_response_good_s=defaults.seconds("contract.average_response_good"),
        average_response_limit_s=defaults.seconds("contract.average_response_limit"),
    )
    return documents(words(), settings)


async def push_boards(url: str, token: str, documents: Sequence[dict[str, Any]], *, timeout_s: float) -> None:
    """Put the boards into their folder of the Grafana at `url`, making it where it is missing. Raises PushFailed."""
    headers = {"Authorization": f"Bearer {token}"}
    base = url.rstrip("/")
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            async with session.get(f"{base}/api/folders/{TAG}") as answer:
                is_there = answer.status != HTTPStatus.NOT_FOUND
            if not is_there:
                await _post(session, f"{base}/api/folders", FOLDER)
            for document in documents:
                body = {"dashboard": {**document, "id": None}, "folderUid": TAG, "overwrite": True}
                await _post(session, f"{base}/api/dashboards/db", body)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise PushFailed(
            f"{url}: not reached ({str(error) or type(error).__name__}); is it the address of a Grafana?"
        ) from None


async def _post(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> None:
    async with session.post(url, json=body) as answer:
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise PushFailed(f"{url}: {answer.status}; the token needs the role Editor")
        if not answer.ok:
            raise PushFailed(f"{url}: {answer.status} {(await answer.text()).strip()}")
