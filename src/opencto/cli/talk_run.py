"""One conversation from its beginning to its report."""

import asyncio
import contextlib
import signal
import sys
import threading
from collections.abc import AsyncIterator, Generator
from pathlib import Path

from opencto.cli import output
from opencto.cli.failures import FAILED, NOT_REACHABLE, REFUSED
from opencto.cli.server import whither
from opencto.cli.talk_approvals import ClientServer, Waiting
from opencto.cli.talk_plan import Plan
from opencto.cli.talk_report import cost_of, report
from opencto.cli.talk_screen import Screen
from opencto.cli.talk_sound import Sound, sound_for
from opencto.client import AsyncOpenCTO
from opencto.client.realtime import RealtimeError, RealtimeSession, TalkOptions
from opencto.wire.approvals import Approval

RENEW_SECONDS = 240.0
"""The token of this machine's owner lasts five minutes."""
SETTLE_SECONDS = 1.5
DRAW_SECONDS = 0.1
_REFUSALS = frozenset({"UNAUTHENTICATED", "FORBIDDEN", "INSUFFICIENT_SCOPE"})
_UNREACHED = frozenset({"not_reachable", "socket_blocked", "silent"})
_NO_EARS = "sandbox_no_ears"


async def run(plan: Plan) -> int:
    """The exit code. Raises StartError where there is no server, no device, or no such file."""
    base_url, token, verify = await asyncio.to_thread(whither, plan.data_dir)
    sound = sound_for(plan)
    try:
        async with AsyncOpenCTO(base_url, token, plan.workspace, verify=verify) as client:
            session = client.realtime.connect(
                model=plan.model, voice=plan.voice, options=_options(plan), source=sound.source, sink=sound.sink
            )
            renewing = asyncio.create_task(_renewing(client, plan.data_dir))
            try:
                failure = await _converse(plan, client, session, sound)
            finally:
                renewing.cancel()
            report(session, await cost_of(session), failure, is_json=plan.is_json)
    finally:
        for one in (sound.source, sound.sink):
            if one is not None:
                one.close()
    if failure is None:
        return 0
    if not plan.is_json:
        output.error(output.printable(str(failure)))
    return _exit_code(failure)


def _options(plan: Plan) -> TalkOptions:
    return TalkOptions(
        modality="text" if plan.is_written else "audio",
        turn_detection=plan.turn_detection,
        push_to_talk=plan.is_push_to_talk,
        full_duplex=plan.has_headphones or plan.is_script or plan.heard is not None,
        fills_waits=plan.fills_waits,
        goes_on_after_noise=plan.goes_on_after_noise,
    )


def _exit_code(failure: RealtimeError) -> int:
    if failure.code in _REFUSALS:
        return REFUSED
    return NOT_REACHABLE if failure.code in _UNREACHED else FAILED


async def _renewing(client: AsyncOpenCTO, data_dir: Path | None) -> None:
    """A long conversation outlives the token that it began with."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        _, token, _ = await asyncio.to_thread(whither, data_dir)
        client.use_token(token)


async def _converse(plan: Plan, client: AsyncOpenCTO, session: RealtimeSession, sound: Sound) -> RealtimeError | None:
    """Why it failed, if it did."""
    is_terminal = sys.stdout.isatty() and sys.stdin.isatty() and not plan.is_json
    screen = Screen(
        session,
        "OpenCTO",
        is_live=is_terminal and not plan.is_written,
        is_silent=plan.is_json,
        is_typed_on=is_terminal and plan.is_written,
        keys=_hint(plan),
    )
    waiting = Waiting(ClientServer(client), screen)
    try:
        async with session:
            screen.begin()
            following = asyncio.create_task(_follow(session, screen, waiting))
            drawing = asyncio.create_task(_draw(screen, waiting))
            try:
                with _ended_by_ctrl_c(session):
                    failure = await _spoken(plan, session, sound, waiting, is_terminal=is_terminal)
            finally:
                drawing.cancel()
            await session.end("hung_up" if failure is None else "error")
            return await following or failure
    except RealtimeError as failure:
        return failure
    finally:
        screen.end()


def _hint(plan: Plan) -> str:
    if plan.is_written:
        return "Write a line and press Enter. Ctrl+D ends."
    return "i interrupt · m mute · q end" + (" · space talk" if plan.is_push_to_talk else "")


async def _follow(session: RealtimeSession, screen: Screen, waiting: Waiting) -> RealtimeError | None:
    try:
        async for update in session:
            screen.show(update)
            waiting.take(update)
    except RealtimeError as failure:
        return failure
    return None


async def _draw(screen: Screen, waiting: Waiting) -> None:
    while True:
        screen.ask(waiting.first)
        screen.draw()
        await asyncio.sleep(DRAW_SECONDS)


@contextlib.contextmanager
def _ended_by_ctrl_c(session: RealtimeSession) -> Generator[None]:
    """Ctrl+C is how a conversation is ended, not a failure."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    ends: list[asyncio.Task[None]] = []
    loop.add_signal_handler(signal.SIGINT, lambda: ends.append(loop.create_task(session.end())))
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def _spoken(
    plan: Plan, session: RealtimeSession, sound: Sound, waiting: Waiting, *, is_terminal: bool
) -> RealtimeError | None:
    if sound.file is not None:
        return await _file_answered(session, sound, plan.patience_seconds)
    if plan.is_written:
        return await _lines_answered(session, waiting, plan.patience_seconds, is_terminal=is_terminal)
    with _keys(plan, session, waiting, is_terminal=is_terminal):
        await session.until(lambda: False)  # until it is over
    return None


async def _file_answered(session: RealtimeSession, sound: Sound, patience: float) -> RealtimeError | None:
    """Until the file was spoken and everything that it asked for was answered and heard."""
    assert sound.file is not None
    spoken = asyncio.create_task(sound.file.was_spoken.wait())
    try:
        await session.until(lambda: spoken.done() or _cannot_hear(session))
    finally:
        spoken.cancel()
    while not _is_over(session):
        if _cannot_hear(session):
            return _failure_of(session, _NO_EARS)
        heard = await session.until(lambda: _was_answered(session) or _cannot_hear(session), patience)
        if not heard:
            return RealtimeError("no_answer", f"There was no answer within {patience:g} seconds of the file's end.")
        if not await session.until(lambda: not session.is_quiet, SETTLE_SECONDS):
            return _last_failure(session)
    return None


def _was_answered(session: RealtimeSession) -> bool:
    return session.is_quiet and any(item.role == "user" for item in session.conversation.items)


def _cannot_hear(session: RealtimeSession) -> bool:
    return any(one.code == _NO_EARS for one in session.conversation.problems)


def _is_over(session: RealtimeSession) -> bool:
    return session.state.phase in {"ended", "failed", "ending"}


def _failure_of(session: RealtimeSession, code: str) -> RealtimeError:
    from opencto.client.realtime.errors import known

    said = next((one.message for one in session.conversation.problems if one.code == code), "")
    return known(code, said)


def _last_failure(session: RealtimeSession) -> RealtimeError | None:
    """A script must know when the last answer failed."""
    conversation = session.conversation
    ended = list(conversation.endings.items())
    if not ended or ended[-1][1] != "failed":
        return None
    problem = next((one for one in reversed(conversation.problems) if one.response_id == ended[-1][0]), None)
    return _failure_of(session, problem.code) if problem else None


async def _lines_answered(
    session: RealtimeSession, waiting: Waiting, patience: float, *, is_terminal: bool
) -> RealtimeError | None:
    """Each line of standard input is something that is said; the next one waits for its answer, unless a person types.

    While something waits for a yes, `y` and `n` alone on a line decide on it and are not said.
    """
    failure: RealtimeError | None = None
    async for text in _lines(session):
        if not is_terminal:
            await waiting.shown()
        if not await waiting.answer(session, text, patience):
            await session.say(text)
        if not is_terminal and not await session.quiet(patience) and not _is_over(session):
            return RealtimeError("no_answer", f"There was no answer within {patience:g} seconds.")
        failure = _last_failure(session)
    return None if is_terminal else failure


async def _lines(session: RealtimeSession) -> AsyncIterator[str]:
    """Standard input, read in a thread of its own that does not hold the end of the program up."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for lines any more
            for text in sys.stdin:
                loop.call_soon_threadsafe(lines.put_nowait, text)
            loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, name="opencto-lines", daemon=True).start()
    over = asyncio.create_task(session.until(lambda: False))
    try:
        while True:
            coming = asyncio.create_task(lines.get())
            await asyncio.wait([coming, over], return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                coming.cancel()
                return
            text = coming.result()
            if text is None:
                return
            if text.strip():
                yield text.strip()
    finally:
        over.cancel()


def _keys(
    plan: Plan, session: RealtimeSession, waiting: Waiting, *, is_terminal: bool
) -> contextlib.AbstractContextManager[None]:
    if not is_terminal:
        return contextlib.nullcontext()
    from opencto.cli.talk_keys import HeldKey, keys

    loop = asyncio.get_running_loop()
    space = HeldKey(session.hold, loop)
    ends: list[asyncio.Task[None]] = []
    decisions: list[asyncio.Task[Approval | None]] = []

    def pressed(key: str) -> None:
        match key:
            case "i" | "\x1b":
                session.interrupt()
            case "g":
                session.go_on()
            case "m":
                session.mute(session.state.input != "muted")
            case " " if plan.is_push_to_talk:
                space.pressed()
            case "q" | "\x04":
                ends.append(loop.create_task(session.end()))
            case "y" | "n" if waiting.first is not None:
                decisions.append(loop.create_task(waiting.decide("approve" if key == "y" else "deny")))
            case _:
                pass

    return keys(pressed)
