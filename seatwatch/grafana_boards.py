"""The Grafana boards of this installation, and how they are handed to a Grafana."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from dashboards.grafana.boards import documents
from dashboards.grafana.frame import TAG, GrafanaSettings
from seatwatch.glossary import words
from seatwatch.settings import Defaults

FOLDER: Final = {"uid": TAG, "title": "Seatwatch"}
_CURES: Final[dict[int, str]] = {
    HTTPStatus.BAD_REQUEST: "what a file provisions there is renewed by `seatwatch dashboards export`",
    HTTPStatus.PRECONDITION_FAILED: "another board stands in its way: rename or remove it there, then push again",
}


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
            async with session.get(f"{base}/api/folders/{TAG}", allow_redirects=False) as answer:
                is_there = answer.status != HTTPStatus.NOT_FOUND
            if not is_there:
                await _post(session, f"{base}/api/folders", FOLDER, FOLDER["title"])
            for document in documents:
                body = {"dashboard": {**document, "id": None}, "folderUid": TAG, "overwrite": True}
                await _post(session, f"{base}/api/dashboards/db", body, document["title"])
    except (aiohttp.ClientError, TimeoutError) as error:
        raise PushFailed(
            f"{url}: not reached ({str(error) or type(error).__name__}); is it the address of a Grafana?"
        ) from None


async def _post(session: aiohttp.ClientSession, url: str, body: dict[str, Any], what: str) -> None:
    """Put one thing, called `what`. A redirect would drop the body, and end at a sign-in page that answers 200."""
    async with session.post(url, json=body, allow_redirects=False) as answer:
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise PushFailed(f"{url}: {answer.status}; the token needs the role Editor")
        if "Location" in answer.headers:
            raise PushFailed(
                f"{url}: leads to {answer.headers['Location']}; give the address it is reached at by --url"
            )
        said = _told(await answer.text())
        if said is None:
            raise PushFailed(f"{url}: {answer.status} and no JSON; is it the address of a Grafana?")
        if not answer.ok:
            cure = _CURES.get(answer.status, "Grafana's log says more")
            raise PushFailed(f"{url}: {what}: {answer.status} {said}; {cure}")


def _told(body: str) -> str | None:
    """What a Grafana says of it, None where no Grafana says so."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return str(found.get("message", found.get("status", ""))) if isinstance(found, dict) else None
