"""Which sessions of the days asked for: what stands behind one percentage, one bar or one cell."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from wire.incident import Cause
from wire.verdict import Verdict

# Layout: of five minutes each.
STEPS_PER_DAY: Final = 288
"""Of five minutes each."""
_Step = Annotated[int, Meta(ge=0, lt=STEPS_PER_DAY)]


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """What all of them have in common; None or "" = whatever it is.

    cause, incident: of the miss. figure: a column of the report that counts them. weekday: 0 = Monday; hour: of the
    local clock. step, steps: so many times five minutes from that one of the business day on. second: of the histogram
    of first responses, the last one holds what took longer. unreplied: nobody ever answered.
    """

    verdict: Verdict | None = None
    cause: Cause | None = None
    incident: str = ""
    figure: str = ""
    # Format: days of a week, hours of a day, and in them steps and seconds.
    weekday: Annotated[int, Meta(ge=0, le=6)] | None = None
    hour: Annotated[int, Meta(ge=0, le=23)] | None = None
    step: _Step | None = None
    steps: Annotated[int, Meta(ge=1, le=STEPS_PER_DAY)] = 1
    second: Annotated[int, Meta(ge=0, le=3_600)] | None = None
    unreplied: bool = False


NAMES: Final = Which.__struct_fields__
"""As an address has them."""
