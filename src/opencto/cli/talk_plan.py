"""What one `opencto talk` is to be, as it was asked on the command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

_TURNS: dict[str, dict[str, Any]] = {
    "semantic": {"type": "semantic_vad"},
    "server": {"type": "server_vad", "silence_duration_ms": 500},
}


@dataclass(frozen=True)
class Plan:
    is_written: bool
    said: Path | None
    heard: Path | None
    has_headphones: bool
    is_push_to_talk: bool
    microphone: str | None
    speaker: str | None
    model: str | None
    voice: str | None
    turns: str | None
    fills_waits: bool
    goes_on_after_noise: bool
    patience_seconds: float
    workspace: str | None
    data_dir: Path | None
    is_json: bool

    def check(self) -> None:
        """Raises BadParameter for what does not go together."""
        if self.is_written and (self.said or self.heard):
            raise typer.BadParameter(
                "it is for writing; leave --in and --out away, or leave --text away", param_hint="--text"
            )
        if self.is_written and self.goes_on_after_noise:
            raise typer.BadParameter(
                "in writing no noise cuts an answer short; leave one of them away", param_hint="--go-on"
            )
        if self.said and self.is_push_to_talk:
            raise typer.BadParameter("a file holds no key; leave one of them away", param_hint="--ptt")
        if self.heard and self.heard.suffix.lower() != ".wav":
            raise typer.BadParameter("the file's name must end in .wav", param_hint="--out")
        if self.heard and not self.heard.resolve().parent.is_dir():
            raise typer.BadParameter(f"there is no folder {self.heard.parent}", param_hint="--out")

    @property
    def is_script(self) -> bool:
        """Nobody sits at the keyboard: it ends by itself."""
        return self.said is not None

    @property
    def turn_detection(self) -> dict[str, Any] | None:
        return _TURNS[self.turns] if self.turns else None
