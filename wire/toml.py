"""TOML as people write it into files, read so that no file ends in anything but tables or one error."""

import tomllib
from typing import Any, Final

_BYTE_ORDER_MARK: Final = "\ufeff"
_TOO_DEEP: Final = "tables or lists stand within one another too deeply"


def read_toml(text: str) -> dict[str, Any]:
    """The tables in `text`, with the mark Windows editors put before it or without.

    TOMLDecodeError where there are none, as in brackets or numbers without end.
    """
    try:
        return tomllib.loads(text.removeprefix(_BYTE_ORDER_MARK))
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError(_TOO_DEEP) from None
    except ValueError as error:  # Python reads no number of more than 4,300 digits
        raise tomllib.TOMLDecodeError(str(error)) from None
