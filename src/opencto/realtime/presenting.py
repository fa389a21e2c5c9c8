"""Rows as they are shown. Pure."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from opencto.core.clock import from_millis, moment_or_none
from opencto.identity.paging import AnyRow
from opencto.ledger.prices import from_picos
from opencto.realtime.repository import Record
from opencto.realtime.search import Place, snippet
from opencto.wire.sessions import (
    SessionError,
    SessionItem,
    SessionLatency,
    SessionMatch,
    SessionResponseUsage,
    SessionState,
    SessionToolCall,
    SessionUsage,
    VoiceSession,
    VoiceSessionDetail,
    VoiceSessionFound,
)


def session(row: AnyRow) -> VoiceSession:
    """One session without what was told in it."""
    return VoiceSession(**_fields(row))


def found(row: AnyRow, places: Iterable[Place], phrase: str | None) -> VoiceSessionFound:
    """One session of a list, with where the phrase stands."""
    matches = [_match(place, phrase) for place in places] if phrase else []
    return VoiceSessionFound(**_fields(row), matches=matches)


def detail(row: AnyRow, records: list[Record]) -> VoiceSessionDetail:
    """One session with everything."""
    by_kind: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_kind[record.kind].append(record)
    return VoiceSessionDetail(
        **_fields(row),
        transcript=in_order([_item(one) for one in by_kind["item"]]),
        tools=[_tool(one) for one in by_kind["tool"]],
        responses=[_response(one) for one in by_kind["usage"]],
        latency=latency(by_kind["latency"]),
        failures=[
            SessionError(at=from_millis(one.at), code=_body(one)["code"], message=one.text) for one in by_kind["error"]
        ],
        states=[
            SessionState(at=from_millis(one.at), state=state_in(one.body), reason=one.text) for one in by_kind["state"]
        ],
    )


def state_in(body: str) -> str:
    """The state that an event of this body told."""
    return str(json.loads(body)["state"])


def in_order(items: list[SessionItem]) -> list[SessionItem]:
    """As the conversation went: each behind the item that it follows; those that follow nothing known by their time.

    `items` come in the order of time, which also decides between two that follow the same one.
    """
    known = {one.item_id for one in items}
    behind: defaultdict[str | None, list[SessionItem]] = defaultdict(list)
    for one in items:
        behind[one.previous_item_id if one.previous_item_id in known else None].append(one)
    ordered: list[SessionItem] = []
    placed: set[str] = set()
    for start in [*behind[None], *items]:  # who follows in a circle comes at last, by time
        waiting = [start]
        while waiting:
            one = waiting.pop()
            if one.item_id in placed:
                continue
            placed.add(one.item_id)
            ordered.append(one)
            waiting.extend(reversed(behind[one.item_id]))
    return ordered


def latency(records: list[Record]) -> list[SessionLatency]:
    """One line a metric, in the order in which they were first measured."""
    measured: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        body = _body(record)
        measured[body["metric"]].append(body)
    shown: list[SessionLatency] = []
    for metric, bodies in measured.items():
        values = sorted(float(one["milliseconds"]) for one in bodies)
        counts = [int(one["count"]) for one in bodies if one["count"] is not None]
        shown.append(
            SessionLatency.model_validate(
                {
                    "metric": metric,
                    "measurements": len(values),
                    "p50": _percentile(values, 50),
                    "p95": _percentile(values, 95),
                    "max": values[-1],
                    "total": sum(values),
                    "count": sum(counts) if counts else None,
                }
            )
        )
    return shown


def _percentile(ordered: list[float], percent: int) -> float:
    """By nearest rank: a value that was measured."""
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def money(picos: int | None) -> str | None:
    """A decimal number, as the ledger writes it."""
    cost = from_picos(picos)
    return None if cost is None else f"{cost.normalize():f}"


def _fields(row: AnyRow) -> dict[str, Any]:
    is_priced = row.responses > row.unpriced_responses or row.responses == 0
    usage = SessionUsage(
        responses=row.responses,
        input_tokens=row.input_tokens,
        cached_input_tokens=row.cached_input_tokens,
        output_tokens=row.output_tokens,
        input_audio_tokens=row.input_audio_tokens,
        output_audio_tokens=row.output_audio_tokens,
        cost=money(row.cost_picos) if is_priced else None,
        unpriced_responses=row.unpriced_responses,
    )
    return {
        "id": row.id,
        "workspace_id": row.workspace_id,
        "person_id": row.person_id,
        "person_name": row.person_name,
        "model": row.model,
        "voice": row.voice,
        "key_source": row.key_source,
        "created_at": from_millis(row.created_at),
        "last_event_at": moment_or_none(row.last_event_at),
        "ended_at": moment_or_none(row.ended_at),
        "end_reason": row.end_reason,
        "state": row.state,
        "is_text_stored": row.is_text_stored,
        "items": row.items,
        "tool_calls": row.tool_calls,
        "errors": row.errors,
        "usage": usage,
    }


def _body(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(record.body)
    return found


def _item(record: Record) -> SessionItem:
    return SessionItem(
        **_body(record),
        text=record.text,
        unspoken_text=record.more_text,
        at=from_millis(record.first_at),
        updated_at=from_millis(record.at),
    )


def _tool(record: Record) -> SessionToolCall:
    return SessionToolCall(
        **_body(record),
        arguments=record.text,
        output=record.more_text or None,
        at=from_millis(record.first_at),
        updated_at=from_millis(record.at),
    )


def _response(record: Record) -> SessionResponseUsage:
    shown = {name: value for name, value in _body(record).items() if name in SessionResponseUsage.model_fields}
    return SessionResponseUsage(**shown, cost=money(record.cost_picos), at=from_millis(record.at))


def _match(place: Place, phrase: str) -> SessionMatch:
    said = [one for one in (place.text, place.more_text) if one]
    snippets = [snippet(one, phrase) for one in said]
    telling = next((one for one in snippets if any(part.is_match for part in one)), snippets[0] if snippets else [])
    return SessionMatch.model_validate(
        {
            "kind": place.kind,
            "id": place.name,
            "role": json.loads(place.body).get("role"),
            "at": from_millis(place.at),
            "parts": telling,
        }
    )
