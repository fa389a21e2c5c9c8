"""What the sandbox answers. It does not pretend to think: a few scripted replies, and the truth about the rest.

Deterministic. Every surface asks this one module, so that whatever it learns is learnt everywhere at once.
"""

import re
from dataclasses import dataclass

NAME = "OpenCTO's local sandbox"
ADD_A_KEY = "Add an OpenAI key for real answers."
_GREETINGS = re.compile(
    r"(hi|hello|hey|good (morning|afternoon|evening)|hallo|moin|servus)( there| all| team)?[\s,.!?]*", re.IGNORECASE
)
_THANKS = re.compile(r"(thanks|thank you|cheers|danke)\b.{0,40}", re.IGNORECASE | re.DOTALL)
_HELP = re.compile(r"\b(help|what can you do|who are you|what are you|are you (real|an? (ai|bot)))\b", re.IGNORECASE)
_QUOTE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """What there is to answer: the last thing said, and by whom."""

    text: str
    is_tool_result: bool = False
    tool_names: tuple[str, ...] = ()


def reply(turn: Turn) -> str:
    """The whole answer as text."""
    said = turn.text.strip()
    if turn.is_tool_result:
        return f"The tool answered: {_shortened(said)}" if said else "The tool answered with nothing."
    if not said:
        return f"I am {NAME}, and nothing was said."
    if _GREETINGS.fullmatch(said):
        return f"Hello, I am {NAME}, not a model. Ask me for help to hear what I can do."
    if _THANKS.fullmatch(said):
        return "You are welcome."
    if _HELP.search(said):
        return help_text(turn.tool_names)
    return f"I am {NAME}, so I cannot answer that. {ADD_A_KEY} You said: {_shortened(said)}"


def help_text(tool_names: tuple[str, ...] = ()) -> str:
    tools = f" You offered me these tools: {', '.join(tool_names)}." if tool_names else ""
    return (
        f"I am {NAME}. I speak OpenAI's wire so that everything can be tried without a key: keys, models, chat, streaming, "
        f"limits, usage and costs. I greet, I help, I repeat, and I do not think.{tools} {ADD_A_KEY}"
    )


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _QUOTE_CHARACTERS else f"{text[:_QUOTE_CHARACTERS].rstrip()}…"
