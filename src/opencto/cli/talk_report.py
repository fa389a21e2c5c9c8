"""What is told when a conversation is over: for people two lines, for programs everything."""

from typing import Any

from opencto.cli.output import line, print_json
from opencto.client.errors import OpenCTOError
from opencto.client.realtime import RealtimeError, RealtimeSession, shown

_TOLD = {
    "eos_to_first_sound": "first sound after your last word",
    "ttfa_model": "first piece of an answer after it began",
    "bargein_stop": "silence after you spoke up",
}


async def cost_of(session: RealtimeSession) -> str | None:
    """In dollars, as the server reckons it. None where it keeps no record or knows no price."""
    try:
        return await session.cost()
    except OpenCTOError:
        return None


def document(session: RealtimeSession, cost: str | None, failure: RealtimeError | None) -> dict[str, Any]:
    """Everything, for `--json`."""
    usage = session.metrics.usage
    return {
        "sessionId": session.session_id,
        "model": session.model,
        "keySource": session.key_source,
        **shown(session.conversation),
        "usage": {
            "responses": usage.responses,
            "inputTokens": usage.input_tokens,
            "cachedInputTokens": usage.cached_input_tokens,
            "outputTokens": usage.output_tokens,
            "inputAudioTokens": usage.input_audio_tokens,
            "outputAudioTokens": usage.output_audio_tokens,
        },
        "cost": cost,
        "currency": "usd",
        "latency": session.metrics.summary(),
        "error": None if failure is None else {"code": failure.code, "message": str(failure)},
    }


def report(session: RealtimeSession, cost: str | None, failure: RealtimeError | None, *, is_json: bool) -> None:
    if is_json:
        print_json(document(session, cost, failure))
        return
    usage = session.metrics.usage
    line()
    price = "cost unknown" if cost is None else f"${cost}"
    if session.key_source == "sandbox":
        price = "the local sandbox: nobody is billed"
    answers = "1 answer" if usage.responses == 1 else f"{usage.responses} answers"
    line(f"{answers} · {usage.input_tokens:,} tokens in, {usage.output_tokens:,} out · {price}")
    for metric, said in _TOLD.items():
        found = session.metrics.summary().get(metric)
        if found:
            worst = f", at most {found['max']:,.0f}" if found["measurements"] > 1 else ""
            line(f"{said}: {found['p50']:,.0f} ms{worst}")
    if session.records.dropped:
        line(f"{session.records.dropped} events of the record found no room and are lost.")
