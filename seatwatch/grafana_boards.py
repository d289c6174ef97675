"""The Grafana boards of this installation, and how they are handed to a Grafana."""

import asyncio
from collections.abc import Awaitable, Sequence
from http import HTTPStatus
from typing import Any, Final, cast

from grafana_client.api import AsyncGrafanaApi
from grafana_client.client import GrafanaException
from niquests import AsyncSession
from niquests.exceptions import JSONDecodeError, RequestException, SSLError, TooManyRedirects
from yarl import URL

from dashboards.grafana.boards import documents
from dashboards.grafana.frame import TAG, GrafanaSettings
from seatwatch.glossary import words
from seatwatch.settings import Defaults

_TITLE: Final = "Seatwatch"
_CURES: Final[dict[int, str]] = {
    HTTPStatus.BAD_REQUEST: "what a file provisions there is renewed by `seatwatch dashboards export`",
    HTTPStatus.PRECONDITION_FAILED: "one of that name stands in its way: rename or remove it there, then push again",
}
_IS_IT_ONE: Final = "is it the address of a Grafana?"


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
    """Put the boards into their folder of the Grafana at `url`, making it where it is missing. Raises PushFailed.

    timeout_s: for each of them.
    """
    api = _api(url, token, timeout_s)
    async with cast("AsyncSession", api.client.s) as session:
        # A redirect would drop the body, and end at a sign-in page that answers 200.
        session.max_redirects = 0
        if not await _has_folder(url, api, timeout_s):
            await _said(url, _TITLE, api.folder.create_folder(_TITLE, uid=TAG), timeout_s)
        for document in documents:
            board = {"dashboard": {**document, "id": None}, "folderUid": TAG, "overwrite": True}
            await _said(url, document["title"], api.dashboard.update_dashboard(board), timeout_s)


def _api(url: str, token: str, timeout_s: float) -> AsyncGrafanaApi:
    """The client for that address, of its parts: given the whole, the library forgets the brackets of IPv6."""
    try:
        parts = URL(url)
    except ValueError as error:
        raise PushFailed(f"{url}: is no web address ({error}); write one such as http://127.0.0.1:3000") from None
    if parts.scheme not in {"http", "https"} or not parts.host_subcomponent:
        raise PushFailed(f"{url}: is no web address; write one such as http://127.0.0.1:3000")
    return AsyncGrafanaApi(
        token,
        protocol=parts.scheme,
        host=parts.host_subcomponent,
        port=parts.explicit_port,
        url_path_prefix=f"{parts.raw_path.strip('/')}/".lstrip("/"),
        timeout=timeout_s,
    )


async def _has_folder(url: str, api: AsyncGrafanaApi, timeout_s: float) -> bool:
    try:
        await _said(url, _TITLE, api.folder.get_folder(TAG), timeout_s)
    except PushFailed as error:
        if isinstance(error.__cause__, GrafanaException) and error.__cause__.status_code == HTTPStatus.NOT_FOUND:
            return False
        raise
    return True


async def _said(url: str, what: str, asked: Awaitable[object], timeout_s: float) -> None:
    """Wait until one thing, called `what`, is asked for or put. Raises PushFailed."""
    try:
        async with asyncio.timeout(timeout_s):
            answer = await asked
    except GrafanaException as error:
        if error.status_code:
            raise PushFailed(_refusal(url, what, error)) from error
        raise PushFailed(f"{url}: not reached ({error}); {_IS_IT_ONE}") from None
    except TimeoutError:
        raise PushFailed(f"{url}: no answer within {timeout_s:g} s; {_IS_IT_ONE}") from None
    except TooManyRedirects as error:
        where = "elsewhere" if error.response is None else error.response.headers.get("Location", "elsewhere")
        raise PushFailed(f"{url}: leads to {where}; give the address it is reached at by --url") from None
    except SSLError as error:
        cure = "give this machine the authority that signed it"
        raise PushFailed(f"{url}: its certificate is not trusted here ({_root(error)}); {cure}") from None
    except JSONDecodeError:
        raise PushFailed(f"{url}: no JSON; {_IS_IT_ONE}") from None
    except RequestException as error:
        raise PushFailed(f"{url}: not reached ({_root(error)}); {_IS_IT_ONE}") from None
    if not isinstance(answer, dict):
        raise PushFailed(f"{url}: no JSON; {_IS_IT_ONE}")


def _refusal(url: str, what: str, error: GrafanaException) -> str:
    """What it did not take, why, and what to do."""
    if error.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"{url}: {what}: {error.status_code}; the token needs the role Editor, in this folder too"
    if not isinstance(error.response, dict):
        return f"{url}: {error.status_code} and no JSON; {_IS_IT_ONE}"
    told = error.response.get("message", error.response.get("status", ""))
    cure = _CURES.get(error.status_code, "Grafana's log says more")
    return f"{url}: {what}: {error.status_code} {told}; {cure}"


def _root(error: BaseException) -> str:
    """The reason in a few words: what a library wraps around it names the whole request."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return str(error) or type(error).__name__
