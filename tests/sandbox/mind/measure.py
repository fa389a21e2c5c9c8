"""How often the mind is right: `PYTHONPATH=tests python tests/sandbox/mind/measure.py [words]` prints every miss and the shares.

With `words` it is measured as it is without the extra `local`.
"""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from opencto.sandbox.mind import LocalMind
from opencto.sandbox.mind.embedding import Embedder
from opencto.sandbox.ports import Calls, Conversation, Entry, Said, Say, Tool
from sandbox.mind import heldout, labelled, strangers

NOW = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
INSTRUCTIONS = "You help a team. Its time zone is Europe/Berlin."


class WithoutWeights(Embedder):
    """As where the extra `local` is not installed."""

    @property
    def knows_meaning(self) -> bool:
        return False


def conversation(*entries: str | Entry, tools: tuple[Tool, ...] = (), **more: Any) -> Conversation:
    said = tuple(Said("user", one) if isinstance(one, str) else one for one in entries)
    return Conversation(said, NOW, instructions=INSTRUCTIONS, tools=tools, **more)


def is_right(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether every argument is one of those that are right, and there is no other."""
    if found.keys() - wanted.keys():
        return False
    for name, right in wanted.items():
        alternatives: list[Any] = [*right] if isinstance(right, tuple) else [right]
        if found.get(name) not in alternatives:
            return False
    return True


def verdict(said: Say | Calls, tool: str, wanted: Mapping[str, Any] | None) -> str:
    """Empty when it is right."""
    if not isinstance(said, Calls) or [call.name for call in said.calls] != [tool]:
        return f"not {tool}: {said}"
    if wanted is not None and not is_right(wanted, said.calls[0].arguments):
        return f"not {wanted}: {dict(said.calls[0].arguments)}"
    return ""


async def measure(mind: LocalMind) -> None:
    sets = {**labelled.SETS, **strangers.SETS}
    asked: list[tuple[str, str, str, dict[str, Any] | None]] = [*labelled.CASES, *strangers.CASES]
    asked += [("ops", text, tool, None) for text, tool in strangers.OPS_ROUTES]
    wrong = 0
    for name, text, tool, wanted in asked:
        found = verdict(await mind.reply(conversation(text, tools=sets[name])), tool, wanted)
        wrong += bool(found)
        if found:
            print(f"{text!r}: {found}")
    for title, cases in (("first", heldout.FIRST), ("second", heldout.SECOND)):
        missed = 0
        for name, text, tool, wanted in cases:
            found = verdict(await mind.reply(conversation(text, tools=heldout.SETS[name])), tool, wanted)
            missed += bool(found)
            if found:
                print(f"{text!r}: {found}")
        print(f"worded afterwards, the {title} forty: {len(cases) - missed} right")
    talk = [(name, text) for name in sets for text in labelled.SMALL_TALK]
    called = 0
    for name, text in talk:
        said = await mind.reply(conversation(text, tools=sets[name]))
        if isinstance(said, Calls):
            called += 1
            print(f"{text!r} ({name}): {said.calls}")
    print(f"right tool and arguments: {len(asked) - wrong} of {len(asked)} ({(len(asked) - wrong) / len(asked):.0%})")
    print(f"calls on small talk and general knowledge: {called} of {len(talk)} ({called / len(talk):.1%})")


if __name__ == "__main__":
    import asyncio

    asyncio.run(measure(LocalMind(WithoutWeights() if sys.argv[1:] == ["words"] else Embedder())))
