"""What a conversation looks like in a terminal: captions of both sides as they come, a meter, and what the keys do."""

import json
import math
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.text import Text

from opencto.cli.output import printable, short
from opencto.cli.talk_approvals import lines_of
from opencto.client.realtime import Item, Measured, RealtimeError, RealtimeSession, State, Update
from opencto.client.realtime.events import ToolMoved
from opencto.wire.approvals import Approval

if TYPE_CHECKING:
    from rich.console import RenderableType

_METER_COLUMNS = 16
_TOOL_WORDS = {
    "running": "…",
    "needs_approval": "waits for an approval",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
    "timed_out": "took too long",
}
_WORDS = {
    "listening": "listening",
    "hearing": "hearing you",
    "muted": "muted",
    "held": "recording",
    "off": "",
}


class Screen:
    """`is_live`: a terminal that can be drawn on; else finished lines alone. `is_typed_on`: what somebody says stands
    there already, because they typed it there. `keys` is the line that explains them.
    """

    def __init__(
        self,
        session: RealtimeSession,
        name: str,
        *,
        is_live: bool,
        is_silent: bool,
        is_typed_on: bool = False,
        keys: str = "",
    ) -> None:
        self._session = session
        self._name = name
        self._keys = keys
        self._is_silent = is_silent
        self._is_typed_on = is_typed_on
        self._is_at_terminal = is_live or is_typed_on
        self._out = Console(soft_wrap=not self._is_at_terminal, highlight=False)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)
        self._printed: set[str] = set()
        self._asked: Approval | None = None
        self._live: Live | None = None
        if is_live and not is_silent:
            self._live = Live(
                console=self._out, transient=True, auto_refresh=False, get_renderable=self._drawn, screen=False
            )

    def begin(self) -> None:
        if self._live is not None:
            self._live.start()
        elif self._is_typed_on:
            self._out.print(Text(self._keys, style="dim"))

    def end(self) -> None:
        """The last lines, and the cursor where it was."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._print_finished(is_end=True)

    def show(self, update: Update) -> None:
        """One thing that happened."""
        match update:
            case RealtimeError():
                self._note(str(update))
            case State() if update.phase in {"reconnecting", "recycling"}:
                self._note("The connection is renewed." if update.phase == "recycling" else "Reconnecting …")
            case ToolMoved() if update.state != "running":
                self._print_finished()
            case Measured() | State():
                pass
            case _:
                self._print_finished()

    def ask(self, approval: Approval | None) -> None:
        """What y and n decide on now."""
        self._asked = approval

    def waits(self, approval: Approval) -> None:
        """Something waits for a yes."""
        if self._is_silent:
            _tell_event("approval.requested", {"approval": approval.model_dump(mode="json", by_alias=True)})
            return
        self._print_finished()
        for said in lines_of(approval):
            indent = len(said) - len(said.lstrip()) + 2
            line = Text(said.lstrip(), style="yellow")
            self._out.print(
                Padding(line, (0, 0, 0, indent), expand=False) if self._is_at_terminal else Text(f"  {said}")
            )

    def ended(self, approval: Approval, moved: ToolMoved) -> None:
        """What came of it."""
        if self._is_silent:
            event = {"approvalId": approval.id, "state": moved.state, "output": moved.output, "error": moved.error}
            _tell_event("approval.ended", event)
            return
        said = f"{approval.tool}: {moved.error or 'approved and done'}"
        self._out.print(Text(f"  ⚙ {printable(said)}", style="red" if moved.error else "green"))

    def note(self, said: str) -> None:
        """Something to know."""
        self._note(said)

    def draw(self) -> None:
        """Often; nothing is printed."""
        self._print_finished()
        if self._live is not None:
            self._live.refresh()

    def _note(self, said: str) -> None:
        if self._live is not None:
            self._out.print(Text(f"  {printable(said)}", style="yellow"))
        else:
            self._err.print(Text.assemble(("Note: ", "yellow"), printable(said)))

    def _print_finished(self, *, is_end: bool = False) -> None:
        """In the order of the conversation: one that is not through holds back those after it."""
        if self._is_silent:
            return
        for item in self._session.conversation.items:
            if item.id in self._printed or item.is_retold:
                continue
            if not is_end and not self._is_through(item):
                return
            self._printed.add(item.id)
            if (drawn := self._line(item)) is not None:
                self._out.print(drawn)

    def _is_through(self, item: Item) -> bool:
        conversation = self._session.conversation
        status = conversation.status(item)
        if status in {"sending", "listening", "transcribing", "in_progress"}:
            return False
        if item.kind == "call":
            progress = conversation.calls.get(item.call_id or "")
            return progress is not None and progress.state != "running"
        is_last = item.id == conversation.items[-1].id
        return not (is_last and item.role == "assistant" and self._session.state.output == "speaking")

    def _line(self, item: Item) -> "Text | None":
        conversation = self._session.conversation
        if item.kind == "divider":
            return Text(f"── {item.text} ──", style="dim")
        if item.kind == "call":
            return self._call(item)
        if item.kind == "output" or item.role == "system":
            return None
        said, unsaid = printable(conversation.spoken(item)), printable(conversation.unspoken(item))
        if item.role == "user" and self._is_typed_on:
            return None
        if item.role == "user":
            failed = conversation.status(item) == "failed"
            return Text.assemble(("You: ", "bold"), (said or "(could not be written down)") if failed else said)
        line = Text.assemble((f"{self._name}: ", "bold cyan"), said)
        if conversation.status(item) == "interrupted":
            line.append(unsaid, style="dim strike")
            line.append(" [interrupted]", style="dim")
        return line

    def _call(self, item: Item) -> Text:
        progress = self._session.conversation.calls.get(item.call_id or "")
        line = Text.assemble(("  ⚙ ", "dim"), (printable(item.name or "tool"), "dim bold"))
        if progress is not None:
            line.append(f" {_TOOL_WORDS[progress.state]}", style="red" if progress.state == "failed" else "dim")
            if progress.error:
                line.append(f": {printable(progress.error)}", style="dim")
            if progress.approval_id:
                line.append(f" ({printable(progress.approval_id)})", style="dim")
        return line

    def _drawn(self) -> "RenderableType":
        lines = [
            drawn
            for item in self._session.conversation.items
            if item.id not in self._printed and not item.is_retold and (drawn := self._line(item)) is not None
        ]
        return Group(*lines[-6:], *self._aside(), self._status())

    def _aside(self) -> "list[Text]":
        """What is no part of the conversation, and stands there for as long as it is so."""
        filler = printable(self._session.filler)
        said = [Text(f"{self._name}: ({filler})", style="dim")] if filler else []
        may_go_on = self._session.cut_short is not None
        return [*said, Text("  g goes on with the answer that was cut short", style="yellow")] if may_go_on else said

    def _status(self) -> Text:
        state = self._session.state
        line = Text(style="dim")
        if state.phase != "live":
            line.append(f"{state.phase} ", style="yellow")
        if state.input != "off":
            line.append(meter(self._session.level), style="green" if state.input in {"hearing", "held"} else "dim")
            line.append(f" {_WORDS[state.input]}")
        if state.output != "silent":
            line.append(f"  {state.output}", style="cyan")
        if self._asked is not None and self._asked.may_decide:
            line.append(f"   y approves · n declines: {short(self._asked.effect, 60)}", style="yellow")
        elif self._keys:
            line.append(f"   {self._keys}")
        return line


def _tell_event(kind: str, content: dict[str, Any]) -> None:
    """For programs, as it happens: one line on standard error, because standard output is one document."""
    sys.stderr.write(json.dumps({"event": kind, **content}, ensure_ascii=False) + "\n")
    sys.stderr.flush()


def meter(level: float) -> str:
    """A bar for 16-bit loudness, from -60 to 0 dB of full scale."""
    decibels = 20 * math.log10(max(level, 1.0) / 32768)
    filled = round(max(0.0, min(1.0, (decibels + 60) / 60)) * _METER_COLUMNS)
    return "▮" * filled + "▯" * (_METER_COLUMNS - filled)
