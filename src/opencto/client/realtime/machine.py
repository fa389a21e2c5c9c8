"""In what state a conversation is: one value that is stored, never guessed from others."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

Phase = Literal[
    "idle", "connecting", "configuring", "replaying", "live", "reconnecting", "recycling", "ending", "ended", "failed"
]
Input = Literal["off", "muted", "listening", "hearing", "held"]
Output = Literal["silent", "thinking", "speaking"]

_AFTER: Mapping[Phase, frozenset[Phase]] = {
    "idle": frozenset({"connecting"}),
    "connecting": frozenset({"configuring", "reconnecting"}),
    "configuring": frozenset({"live", "replaying", "reconnecting"}),
    "replaying": frozenset({"live", "reconnecting"}),
    "live": frozenset({"reconnecting", "recycling"}),
    "reconnecting": frozenset({"connecting"}),
    "recycling": frozenset({"connecting"}),
    "ending": frozenset({"ended"}),
    "ended": frozenset(),
    "failed": frozenset(),
}
OVER: frozenset[Phase] = frozenset({"ended", "failed"})


@dataclass(frozen=True, slots=True)
class State:
    """`epoch` counts connections: what belongs to an older one is not looked at any more."""

    phase: Phase = "idle"
    reason: str = ""
    attempt: int = 0
    epoch: int = 0
    input: Input = "off"
    output: Output = "silent"


def may_follow(phase: Phase, then: Phase) -> bool:
    """Anything may end or fail, but what is over stays over."""
    if phase in OVER:
        return False
    return then in _AFTER[phase] or then == "failed" or (then == "ending" and phase != "ending")


class Machine:
    """Keeps the state and tells each change."""

    def __init__(self, tell: Callable[[State], None]) -> None:
        self.state = State()
        self._tell = tell

    def to(self, phase: Phase, reason: str = "", *, attempt: int = 0) -> None:
        """Raises RuntimeError where it cannot follow: that is a defect of ours."""
        if not may_follow(self.state.phase, phase):
            raise RuntimeError(f"{phase} cannot follow {self.state.phase}")
        epoch = self.state.epoch + (phase == "connecting")
        self._set(replace(self.state, phase=phase, reason=reason, attempt=attempt, epoch=epoch))

    def listen(self, state: Input) -> None:
        self._set(replace(self.state, input=state))

    def sound(self, state: Output) -> None:
        self._set(replace(self.state, output=state))

    def _set(self, state: State) -> None:
        if state != self.state:
            self.state = state
            self._tell(state)
