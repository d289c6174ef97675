"""What a gateway asks the hub over each of its lines, as JSON over HTTPS: from which address does this come?

`POST WITNESS_PATH`, with the certificate or the token that events are sent with.
"""

from typing import Final

import msgspec

from wire._fields import Name, Word

WITNESS_PATH: Final = "/v1/witness"


class WitnessRequest(msgspec.Struct, frozen=True):
    """source: who asks. line: over which of its lines, by the name it has for it."""

    source: Name
    line: Name


class WitnessAnswer(msgspec.Struct, frozen=True):
    """egress: the address that the hub's socket saw."""

    egress: Word
