"""Events as a client tells them, and a session that is ready to be told of."""

from typing import Any

import httpx2

from identity.world import Actor
from surface import Surface

SESSIONS = "/api/v1/realtime/sessions"
AT = "2026-11-23T12:00:0{0}.000Z"


def item(event: str, item_id: str, text: str, *, second: int = 0, **more: object) -> dict[str, Any]:
    told = {"eventId": event, "type": "item", "at": AT.format(second), "itemId": item_id, "role": "user", "text": text}
    return {**told, **more}


def usage(event: str, response: str, *, second: int = 1, **more: object) -> dict[str, Any]:
    counted = {"inputTokens": 1200, "outputTokens": 300, "inputAudioTokens": 1000, "outputAudioTokens": 250}
    return {"eventId": event, "type": "usage", "at": AT.format(second), "responseId": response, **counted, **more}


def latency(event: str, metric: str, milliseconds: float, **more: object) -> dict[str, Any]:
    told = {"eventId": event, "type": "latency", "at": AT.format(2), "metric": metric, "milliseconds": milliseconds}
    return {**told, **more}


def tool(event: str, call_id: str, status: str, *, second: int = 3, **more: object) -> dict[str, Any]:
    told = {"eventId": event, "type": "tool", "at": AT.format(second), "callId": call_id, "name": "get_limits_status"}
    return {**told, "status": status, **more}


def state(event: str, name: str, *, second: int = 0) -> dict[str, Any]:
    return {"eventId": event, "type": "state", "at": AT.format(second), "state": name}


async def minted(surface: Surface, who: Actor | None = None) -> str:
    """A session of carol's, or of somebody else's."""
    answer = await surface.mint(who)
    assert answer.status_code == 201, answer.text
    return answer.json()["sessionId"]


async def tell(surface: Surface, session: str, *events: dict[str, Any], who: Actor | None = None) -> httpx2.Response:
    return await surface.post(f"{SESSIONS}/{session}/events", who or surface.world.carol, {"events": list(events)})


async def told(surface: Surface, session: str, *events: dict[str, Any]) -> tuple[int, int]:
    """(accepted, duplicates)."""
    answer = await tell(surface, session, *events)
    assert answer.status_code == 200, answer.text
    return answer.json()["accepted"], answer.json()["duplicates"]


async def shown(surface: Surface, session: str, who: Actor | None = None) -> dict[str, Any]:
    answer = await surface.client.get(f"{SESSIONS}/{session}", headers=(who or surface.world.carol).bearer)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def listed(surface: Surface, who: Actor | None = None, **query: object) -> list[dict[str, Any]]:
    found = await surface.client.get(
        SESSIONS, params={name: str(one) for name, one in query.items()}, headers=(who or surface.world.carol).bearer
    )
    assert found.status_code == 200, found.text
    return found.json()["data"]


async def hits(surface: Surface, phrase: str, who: Actor | None = None) -> list[str]:
    """The ids of the sessions in which it was said."""
    return [one["id"] for one in await listed(surface, who, q=phrase)]
