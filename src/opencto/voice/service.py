"""One question, one answer: over Chat Completions, whole or sentence by sentence, with the conversation kept."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from opencto.calls.path import CallPath, Plan, Receipt, Result
from opencto.core.clock import Clock, millis
from opencto.core.database import Database
from opencto.core.ids import new_id
from opencto.core.problems import NotFound
from opencto.core.settings import Settings
from opencto.identity.caller import WorkspaceCaller
from opencto.identity.work import Pledge
from opencto.ledger.prices import Tokens
from opencto.providers.answers import ChatUsage
from opencto.providers.requests import ChatRequest
from opencto.voice import repository
from opencto.voice.ports import SettingsOfWorkspace
from opencto.voice.repository import Turn
from opencto.voice.sentences import SentenceCutter
from opencto.wire.identity import WorkspaceSettings
from opencto.wire.limits import BucketName
from opencto.wire.voice import RespondAnswer, RespondDone, RespondRequest, Sentence, Usage

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

SURFACE: BucketName = "voice_respond"
"""The bucket of its limit and the surface in the ledger."""
DAY_MILLIS = 86_400_000
REMEMBERED_TURNS = 40
REMEMBERED_CHARACTERS = 24_000
LONGEST_ANSWER_TOKENS = 1_500
CHARACTERS_PER_TOKEN = 4
"""For the estimate of an answer that broke off before its provider counted it; marked as an estimate in the ledger."""


@dataclass(slots=True)
class Exchange:
    """One question on its way to an answer."""

    who: WorkspaceCaller
    conversation_id: str
    question: str
    request: ChatRequest
    is_kept: bool
    plan: Plan
    said: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return "".join(self.said)

    def says(self, words: str) -> str:
        """Note what the model says, without what no database can keep."""
        self.said.append(words.replace("\x00", ""))
        return self.said[-1]


class VoiceService:
    """The voice backend."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        path: CallPath,
        workspaces: SettingsOfWorkspace,
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._path = path
        self._workspaces = workspaces

    async def prepare(self, who: WorkspaceCaller, request: RespondRequest) -> Exchange:
        """Everything that is known before the model is asked. Raises NotFound for a conversation that is not the caller's."""
        workspace = await self._workspaces.of(who.workspace_id)
        history: list[Turn] = []
        is_kept = workspace.transcript_retention_days != 0
        if request.conversation_id is not None and is_kept:
            history = await asyncio.to_thread(self._history, who, request.conversation_id)
        model = self._model(workspace)
        chat = ChatRequest(
            model=model,
            messages=_messages(workspace, request, history),
            max_completion_tokens=LONGEST_ANSWER_TOKENS,
            safety_identifier=self._path.safety_identifier(who.person_id),
        )
        conversation_id = request.conversation_id or new_id("cv")
        return Exchange(
            who,
            conversation_id,
            request.text,
            chat,
            is_kept,
            Plan(SURFACE, SURFACE, model, operation="chat"),
        )

    async def respond(
        self, exchange: Exchange, pledge: Pledge | None = None
    ) -> tuple[RespondAnswer, Mapping[str, str]]:
        """The whole answer, and the headers that say how many calls are left. Raises whatever the path raises."""
        async with self._path.begun(exchange.who, exchange.plan, pledge) as receipt:
            answer = await receipt.door.chat(receipt.destination.key, exchange.request)
            exchange.says(answer.text or answer.refusal or "")
            receipt.also.append(lambda tx: self._keep(tx, exchange))
            receipt.result = Result(answer.upstream, _tokens(answer.usage), answer.model or None)
            whole = _whole(exchange, answer.model, answer.usage, receipt)
            receipt.answer = (whole, 200)
        return whole, receipt.headers

    async def stream(
        self, exchange: Exchange, pledge: Pledge | None = None
    ) -> AsyncGenerator[Receipt | Sentence | RespondDone]:
        """First the receipt, once OpenAI has begun to answer; then sentences as they are complete; then the end.

        Raises like `respond`. Whatever happens in the middle, what was said until then is kept and entered in the
        ledger. `done` comes when all of that is committed.
        """
        cutter, index = SentenceCutter(), 0
        async with self._path.begun(exchange.who, exchange.plan, pledge) as receipt:
            receipt.estimate = lambda: _estimate(exchange)
            receipt.also.append(lambda tx: self._keep(tx, exchange))
            async with receipt.door.chat_stream(receipt.destination.key, exchange.request) as answer:
                yield receipt
                async for chunk in answer:
                    if not chunk.text:
                        continue
                    for sentence in cutter.feed(exchange.says(chunk.text)):
                        yield Sentence(index=index, text=sentence.strip())
                        index += 1
                receipt.result = Result(answer.upstream, _tokens(answer.usage), answer.model)
            if rest := cutter.rest().strip():
                yield Sentence(index=index, text=rest)
            whole = _whole(exchange, answer.model, answer.usage, receipt)
            receipt.answer = (whole, 200)
        yield done_of(whole)

    def forget_old(self) -> int:
        """Drop the conversations that are older than their workspace keeps them; how many."""
        now, gone = millis(self._clock.now()), 0
        with self._database.read() as tx:
            kept_by = repository.workspaces_with_conversations(tx)
        for workspace_id in kept_by:
            with self._database.write() as tx:
                days = self._workspaces.within(tx, workspace_id).transcript_retention_days
                if days is not None:
                    gone += repository.forget_before(tx, workspace_id, now - days * DAY_MILLIS)
        return gone

    def _keep(self, tx: Connection, exchange: Exchange) -> None:
        if not exchange.is_kept or not exchange.text:
            return
        who, now = exchange.who, millis(self._clock.now())
        turns = [Turn("user", exchange.question), Turn("assistant", exchange.text)]
        repository.append(tx, exchange.conversation_id, who.workspace_id, who.person_id, turns, now)

    def _history(self, who: WorkspaceCaller, conversation_id: str) -> list[Turn]:
        with self._database.read() as tx:
            if not repository.is_theirs(tx, conversation_id, who.workspace_id, who.person_id):
                raise NotFound
            return repository.latest(tx, conversation_id, REMEMBERED_TURNS)

    def _model(self, workspace: WorkspaceSettings) -> str:
        allowed = workspace.chat_models or [self._settings.voice_model]
        return self._settings.voice_model if self._settings.voice_model in allowed else allowed[0]


def _messages(
    workspace: WorkspaceSettings, request: RespondRequest, history: list[Turn]
) -> "list[ChatCompletionMessageParam]":
    about = (
        f"You are {workspace.assistant_name}, the assistant of an engineering team. Your answer is spoken aloud: plain short sentences, no markup, "
        f"no lists, numbers as people say them. Speak {request.language or workspace.language} unless the person speaks another language."
    )
    system = "\n\n".join(
        part for part in (about, workspace.instructions.strip(), (request.system or "").strip()) if part
    )
    room = REMEMBERED_CHARACTERS
    recent: list[Turn] = []
    for turn in reversed(history):
        room -= len(turn.text)
        if room < 0:
            break
        recent.insert(0, turn)
    messages: list[ChatCompletionMessageParam] = [{"role": "system", "content": system}]
    for turn in recent:
        if turn.role == "user":
            messages.append({"role": "user", "content": turn.text})
        else:
            messages.append({"role": "assistant", "content": turn.text})
    messages.append({"role": "user", "content": request.text})
    return messages


def replayed(answer: RespondAnswer) -> Iterator[Sentence | RespondDone]:
    """An answer that was given before, as a stream."""
    cutter = SentenceCutter()
    for index, sentence in enumerate([*cutter.feed(answer.text), cutter.rest()]):
        if sentence.strip():
            yield Sentence(index=index, text=sentence.strip())
    yield done_of(answer)


def done_of(answer: RespondAnswer) -> RespondDone:
    """The end of a stream."""
    return RespondDone.model_validate(answer.model_dump(exclude={"ok"}, by_alias=True))


def _whole(exchange: Exchange, model: str | None, usage: ChatUsage | None, receipt: Receipt) -> RespondAnswer:
    return RespondAnswer(
        text=exchange.text,
        conversation_id=exchange.conversation_id,
        model=model or exchange.request.model,
        usage=_usage(usage),
        key_source=receipt.destination.source,
    )


def _tokens(usage: ChatUsage | None) -> Tokens | None:
    if usage is None:
        return None
    return Tokens(
        input=usage.prompt_tokens,
        cached_input=usage.cached_tokens,
        output=usage.completion_tokens,
        input_audio=usage.input_audio_tokens,
        output_audio=usage.output_audio_tokens,
    )


def _usage(usage: ChatUsage | None) -> Usage:
    if usage is None:
        return Usage(input_tokens=None, cached_input_tokens=None, output_tokens=None)
    return Usage(
        input_tokens=usage.prompt_tokens, cached_input_tokens=usage.cached_tokens, output_tokens=usage.completion_tokens
    )


def _estimate(exchange: Exchange) -> Tokens | None:
    """Roughly what an answer cost that broke off; None when nothing was said."""
    if not exchange.said:
        return None
    asked = sum(len(str(message.get("content", ""))) for message in exchange.request.messages)
    return Tokens(input=asked // CHARACTERS_PER_TOKEN, output=len(exchange.text) // CHARACTERS_PER_TOKEN + 1)
