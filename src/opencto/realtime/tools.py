"""What the assistant may be asked about earlier conversations. Short: most of it is spoken."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from opencto.core.clock import Clock
from opencto.core.problems import Forbidden
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.paging import Asked
from opencto.realtime.sessions import Range, Sessions
from opencto.tools.contract import Arguments, Tool
from opencto.wire.base import Text
from opencto.wire.identity import Scope
from opencto.wire.sessions import VoiceSessionFound

MOST_SESSIONS = 20


class SessionsAsked(Arguments):
    phrase: Annotated[Text, Field(max_length=100)] | None = Field(
        None, description="Only sessions in which these words were said, in this order."
    )
    days: int = Field(7, ge=1, le=365, description="How many days back.")
    limit: int = Field(5, ge=1, le=MOST_SESSIONS, description="How many at most, the newest first.")


def realtime_tools(sessions: Sessions, clock: Clock) -> list[Tool[Any]]:
    """The tools of this room."""

    async def list_sessions(who: WorkspaceCaller, asked: SessionsAsked) -> dict[str, Any]:
        # A tool reaches no further than its caller's token does by the front door.
        if not who.caller.may(Scope.SESSIONS_READ):
            raise Forbidden(f"This needs a token with the scope {Scope.SESSIONS_READ.value}.")
        within = Range(since=clock.now() - timedelta(days=asked.days))
        listing = Asked(limit=asked.limit, q=asked.phrase)
        page = await asyncio.to_thread(sessions.list, who, listing, within)
        return {
            "count": len(page.data),
            "has_more": page.next_cursor is not None,
            "sessions": [_told(one) for one in page.data],
        }

    return [
        Tool(
            "list_voice_sessions",
            "List earlier voice sessions that the caller may see: when, who, how long, what it cost, and where a phrase was said.",
            SessionsAsked,
            list_sessions,
            "reads",
        )
    ]


def _told(one: VoiceSessionFound) -> dict[str, Any]:
    last = one.ended_at or one.last_event_at
    return {
        "id": one.id,
        "began_at": one.created_at.isoformat(timespec="seconds"),
        "person": one.person_name,
        "minutes": None if last is None else round((last - one.created_at).total_seconds() / 60, 1),
        "has_ended": one.ended_at is not None,
        "items": one.items,
        "tool_calls": one.tool_calls,
        "cost_usd": one.usage.cost,
        "said": ["".join(part.text for part in match.parts) for match in one.matches],
    }
