"""`kill -9` in the middle of a talk: the client comes back by itself, and the record holds every word once."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from journeys.program import opencto
from journeys.test_killed_mint import many_lives
from opencto import AsyncOpenCTO
from opencto.client.realtime import RealtimeSession, TalkOptions

pytestmark = pytest.mark.anyio
PATIENCE_SECONDS = 40
QUESTIONS = ("How much did we spend last week?", "Which realtime models do we have?")


def messages(session: RealtimeSession) -> list[tuple[str | None, str]]:
    items = [one for one in session.conversation.items if one.kind == "message" and one.role != "system"]
    return [(one.role, session.conversation.spoken(one)) for one in items]


def renewals(session: RealtimeSession) -> int:
    return sum(one.kind == "divider" and one.text == "Reconnected" for one in session.conversation.items)


async def test_every_word_is_recorded_once_whenever_the_server_is_killed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with many_lives(data, OPENCTO_WORKERS="1") as lives:
        token = opencto("token", "create", "killed", "--scope", "all", "--plain", data=data).stdout.strip()
        pid = lives.begin()
        async with (
            asyncio.timeout(2 * PATIENCE_SECONDS),
            AsyncOpenCTO(base_url=lives.url, token=token) as client,
            client.realtime.connect(options=TalkOptions(modality="text")) as session,
        ):
            for number, question in enumerate(QUESTIONS):
                await session.say(question)
                # While it is answered; the batch of the record that holds the question may be on its way.
                assert await session.until(lambda: bool(session.conversation.running), PATIENCE_SECONDS)
                os.kill(pid, signal.SIGKILL)
                pid = await asyncio.to_thread(lives.begin)
                assert await session.until(lambda seen=number: renewals(session) > seen, PATIENCE_SECONDS)
                assert await session.quiet(PATIENCE_SECONDS)
        told = messages(session)
        assert [text for role, text in told if role == "user"] == list(QUESTIONS)
        answers = [text for role, text in told if role == "assistant"]
        assert len(set(answers)) == len(answers), "nothing is said twice"
        assert any("the cost was" in one for one in answers)
        calls = [one.call_id for one in session.conversation.items if one.kind == "call"]
        shown = opencto("sessions", "show", session.session_id or "", "--json", data=data)
        assert shown.returncode == 0, shown.stderr
        record = json.loads(shown.stdout)
        assert [(one["role"], one["text"]) for one in record["transcript"] if one["kind"] == "message"] == told
        assert [one["callId"] for one in record["tools"]] == calls
        assert session.records.dropped == 0
