"""Every tool there is, by name."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from opencto.identity.caller import WorkspaceCaller
from opencto.providers.requests import FunctionTool
from opencto.tools.contract import Tool
from opencto.tools.errors import ToolNotFound
from opencto.wire.identity import Scope

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Registry:
    """Filled once, by `app.py`."""

    def __init__(self, tools: Iterable[Tool[Any]]) -> None:
        """Raises ValueError for a name that is taken or that OpenAI would refuse."""
        self._tools: dict[str, Tool[Any]] = {}
        for tool in tools:
            if not _NAME.fullmatch(tool.name):
                raise ValueError(f"{tool.name!r} is no name of a tool: small letters, digits and underscores")
            if tool.name in self._tools:
                raise ValueError(f"there are two tools called {tool.name}")
            self._tools[tool.name] = tool

    def named(self, name: str) -> Tool[Any]:
        """Raises ToolNotFound."""
        found = self._tools.get(name)
        if found is None:
            raise ToolNotFound
        return found

    def usable_by(self, who: WorkspaceCaller) -> list[Tool[Any]]:
        """Those that the caller's role reaches, in the order of their names."""
        return [tool for _, tool in sorted(self._tools.items()) if who.role.at_least(tool.role)]

    def for_realtime(self, who: WorkspaceCaller) -> Sequence[FunctionTool]:
        """What a session of the caller is given: nothing that a call of theirs would be refused for."""
        if not who.caller.may(Scope.TOOLS):
            return ()
        return [tool.function() for tool in self.usable_by(who) if "voice" in tool.surfaces]
