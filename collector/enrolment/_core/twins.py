"""One identity, one voice: two machines that speak in one name are noticed by their epochs.

A process draws an epoch when it starts and never goes back to an earlier one. A restart shows a new epoch once; two
machines with one key show two in turns, since each of them takes the connection back from the other.
"""

import msgspec


class TwinRules(msgspec.Struct, frozen=True):
    """live_ms: an epoch heard within this is a process that runs. returns: to earlier epochs, so many are two machines.

    epochs: kept of one source.
    """

    live_ms: int
    returns: int
    epochs: int


class _Voice:
    """What one source was heard with. heard: epoch -> hub's ms."""

    __slots__ = ("current", "heard", "is_doubled", "returns")

    def __init__(self, epoch: bytes) -> None:
        self.current = epoch
        self.heard: dict[bytes, int] = {}
        self.returns = 0
        self.is_doubled = False


class Twins:
    """Which identities are heard from two processes at once."""

    def __init__(self, rules: TwinRules) -> None:
        self._rules = rules
        self._voices: dict[str, _Voice] = {}

    def is_doubled(self, source: str) -> bool:
        """Whether frames of `source` are to be refused."""
        voice = self._voices.get(source)
        return voice is not None and voice.is_doubled

    def heard(self, source: str, epoch: bytes, now: int) -> bool:
        """`source` showed its present state under `epoch`. True when this is the moment it was found to be two."""
        voice = self._voices.get(source)
        if voice is None:
            voice = self._voices[source] = _Voice(epoch)
        self._forget(voice, now)
        if epoch != voice.current:
            voice.returns += epoch in voice.heard
            voice.current = epoch
        voice.heard[epoch] = now
        while len(voice.heard) > self._rules.epochs:
            del voice.heard[min(voice.heard, key=voice.heard.__getitem__)]
        found = voice.returns >= self._rules.returns and not voice.is_doubled
        voice.is_doubled = voice.is_doubled or found
        return found

    def _forget(self, voice: _Voice, now: int) -> None:
        """Epochs that were not heard for so long have ended; with only one left, the identity is whole again."""
        for epoch, at in list(voice.heard.items()):
            if now - at >= self._rules.live_ms:
                del voice.heard[epoch]
        if len(voice.heard) <= 1:
            voice.returns = 0
            voice.is_doubled = False
