"""How much of a conversation a model would still read: its oldest items are left out of an answer when it gets too long."""

from opencto.sandbox.errors import bad_request
from opencto.sandbox.realtime.conversation import Conversation
from opencto.sandbox.realtime.item import Item
from opencto.sandbox.session import RealtimeSession, RetentionRatio

_SMALL_INPUT = 28_224
_INPUT_TOKENS = {"gpt-realtime-2": 96_000, "gpt-realtime-2.1": 96_000, "gpt-realtime-2.1-mini": 96_000}
"""128k of context without the 32k of the longest answer; the others have 32k (facts of OpenAI's model pages)."""


def windowed(conversation: Conversation, session: RealtimeSession, before: int) -> tuple[list[Item], tuple[int, int]]:
    """The items that are looked at, and how many tokens of text and of sound a model would read.

    `before` is what the instructions and tools have. Raises ApiError where `truncation` is `disabled`.
    """
    truncation = session.truncation
    most = max(0, _INPUT_TOKENS.get(session.model, _SMALL_INPUT) - before)
    limits = truncation.token_limits if isinstance(truncation, RetentionRatio) else None
    if limits is not None and limits.post_instructions is not None:
        most = min(most, limits.post_instructions)
    counted = conversation.tokens()
    if sum(counted) <= most:
        return conversation.read(), counted
    if truncation == "disabled":
        raise bad_request(
            f"The conversation has {sum(counted)} tokens after the instructions, and this model reads {most}. Delete items, or allow truncation.",
            code="context_length_exceeded",
        )
    kept = int(truncation.retention_ratio * most) if isinstance(truncation, RetentionRatio) else most
    last, counted = conversation.fitting(kept)
    return conversation.read(last), counted
