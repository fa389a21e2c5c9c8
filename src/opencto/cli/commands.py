"""The list of commands, and a group that imports a command's module only when that command is called.

Each module of the list has a Typer named `app`: with one command it becomes that command, with several a group.
"""

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class Listed:
    """Where a command lives and the sentence that `opencto --help` shows for it."""

    module: str
    help: str


COMMANDS: Mapping[str, Listed] = {
    "up": Listed("opencto.cli.up", "Start the server."),
    "claim": Listed("opencto.cli.claim", "Print a link that makes the server yours, or claim it here."),
    "talk": Listed("opencto.cli.talk", "Talk with the assistant, by voice or in writing."),
    "login": Listed("opencto.cli.login", "Sign in at a server elsewhere."),
    "logout": Listed("opencto.cli.logout", "Forget what login saved."),
    "models": Listed("opencto.cli.models", "The models that your key reaches, and when they end."),
    "usage": Listed("opencto.cli.usage", "What was used of OpenAI and what it cost."),
    "doctor": Listed("opencto.cli.doctor", "Try what people rely on, and say what to do where it fails."),
    "config": Listed("opencto.cli.config", "Show and check the settings."),
    "people": Listed("opencto.cli.people", "List people, invite them, reset a password."),
    "token": Listed("opencto.cli.token", "Make, list and revoke API tokens."),
    "keys": Listed("opencto.cli.keys", "Save, check and delete OpenAI keys; verify and rotate all."),
    "limits": Listed("opencto.cli.limits", "Show and change rate limits and the monthly budget."),
    "ledger": Listed("opencto.cli.ledger", "List every call to OpenAI and what it cost."),
    "sessions": Listed("opencto.cli.sessions", "Voice sessions: list, read, search, export, delete."),
    "approvals": Listed("opencto.cli.approvals", "What the assistant wants to change: list, approve, deny."),
    "respond": Listed("opencto.cli.respond", "Say something to a running server and read its answer."),
    "audit": Listed("opencto.cli.audit", "List, verify and export the audit trail."),
    "sandbox": Listed("opencto.cli.sandbox", "Run the local sandbox alone."),
}


_COMPLETION = frozenset({"install_completion", "show_completion"})


class CommandGroup(TyperGroup):
    """`opencto` itself. What it lists are stand-ins with name and sentence, enough for the help page and "did you mean"."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, listed in COMMANDS.items():
            if importlib.util.find_spec(listed.module):
                self.add_command(TyperCommand(name, help=listed.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, stand_in, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name and stand_in else None, rest


def load_command(name: str) -> Any:
    """The real command, imported now."""
    command = typer.main.get_command(importlib.import_module(COMMANDS[name].module).app)
    command.name = name
    command.help = command.help or COMMANDS[name].help
    command.params = [parameter for parameter in command.params if parameter.name not in _COMPLETION]
    return command
