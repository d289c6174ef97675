"""The pages of screens: each a file, and on its root element the thresholds that its scripts go by."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

REVALIDATE: Final = {"Cache-Control": "no-cache"}
PLACE: Final = "data-settings"
"""Stands in the file where the settings go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """What a script needs before a board has come, or whether or not one does; `load_again_ms` is `data-load-again-ms`.

    load_again_ms: between two looks of a page that did not come up. leave_again_ms: likewise of one that has to go back
    to the wallboard. first_stale_after_ms: until the server has said when a board is stale. link_look_ms: between two
    looks at whether the link tells anything. link_attempt_ms: until an unanswered attempt gets another one beside it.
    clock_samples: of the server's clock. redraw_ms: of what counts the time. page_look_ms: between two looks at
    whether a page of a layout is to turn. time_only_ms: what began longer ago is shown with its date.
    past_settle_ms: a slider that rests so long asks. past_retry_ms: asked again where the server is busy.
    follow_up_told_ms: how long a click that failed is said, and one that worked may take to be shown.
    """

    load_again_ms: int
    leave_again_ms: int
    first_stale_after_ms: int
    link_look_ms: int
    link_attempt_ms: int
    clock_samples: int
    redraw_ms: int
    page_look_ms: int
    time_only_ms: int
    past_settle_ms: int
    past_retry_ms: int
    follow_up_told_ms: int


def page_response(file: Path, settings: PageSettings) -> web.Response:
    """The page in `file`, to be asked for again at every load."""
    text = file.read_text(encoding="utf-8").replace(PLACE, attributes(settings), 1)
    return web.Response(text=text, content_type="text/html", headers=REVALIDATE)


def attributes(settings: PageSettings) -> str:
    """As they stand in the page."""
    return " ".join(f'data-{name.replace("_", "-")}="{value}"' for name, value in asdict(settings).items())
