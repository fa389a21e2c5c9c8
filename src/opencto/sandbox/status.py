"""The page that says what this is: HTML for people, JSON for programs."""

import html
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from opencto import __version__
from opencto.sandbox import catalogue, tokens
from opencto.sandbox.config import SandboxConfig
from opencto.sandbox.endings import SENTENCES
from opencto.sandbox.faults import KINDS
from opencto.sandbox.keys import TEST_WORDS

WHAT = "OpenCTO's local sandbox. It speaks OpenAI's wire on this machine, so that everything can be tried without a key. It is not OpenAI, holds no model and does not think."
CAN = (
    "POST /realtime/client_secrets: mint a client secret, with the full effective session echoed",
    "GET /models and /models/{id}, with shutdown dates",
    "GET /realtime: a Realtime session over WebSocket. It finds where you begin and stop to speak, hears English (Whisper tiny.en) "
    "and answers aloud (SVOX Pico); ears and voice need the extra `local`: without them transcription says that it failed, and answers are written",
    "POST /chat/completions: calls of your tools, found by meaning, and answers from what they gave back, whole or streamed",
    "POST /responses: the same answers, whole, streamed or in the background, stored for 30 days and chained with previous_response_id; "
    "cancelled, streamed again, counted before (/responses/input_tokens) and compacted (/responses/compact)",
    "POST /audio/transcriptions: English speech in WAV files, whole or streamed, with the extra `local`",
    "POST /embeddings: by meaning where the extra `local` is installed (multilingual E5), else lexical: near is what shares words and letters. "
    "Lists of token numbers are always compared by the numbers they share",
    "GET /organization/usage/* and /organization/costs, from what was really used here",
    "OpenAI's errors, request ids and rate-limit headers",
)
CANNOT = (
    "think: it greets, helps, routes to your tools and tells their results, and says so",
    "understand other languages, or speak them; join WebRTC or SIP calls",
    "answer /conversations, /audio/speech, /audio/translations, /files, batches or stored prompts",
    "see pictures, or give more than one choice",
)


class StatusRoutes:
    def __init__(self, config: SandboxConfig) -> None:
        self._config = config

    async def show(self, request: Request) -> Response:
        facts = self._facts()
        if "text/html" in request.headers.get("accept", ""):
            headers = {"content-security-policy": "default-src 'none'; frame-ancestors 'none'"}
            return HTMLResponse(_page(facts), headers=headers)
        return JSONResponse(facts)

    def _facts(self) -> dict[str, Any]:
        internal = self._config.internal_keys is not None
        return {
            "sandbox": True,
            "version": __version__,
            "what": WHAT,
            "can": list(CAN),
            "cannot": list(CANNOT),
            "keys": "only the server's own"
            if internal
            else "any sk-… for inference, any sk-admin-… for usage and costs",
            "testKeys": {} if internal else {f"{word}…": meaning for word, meaning in TEST_WORDS.items()},
            "tokens": tokens.HOW,
            "demo": "30 days of invented usage in project proj_demo; OPENCTO_SANDBOX_DEMO=off removes it"
            if self._config.demo
            else "off",
            "catalogueOf": catalogue.AS_OF.isoformat(),
            "limits": {
                "requestsPerMinute": self._config.requests_per_minute,
                "tokensPerMinute": self._config.tokens_per_minute,
            },
            "saidAlone": {sentence: f"provokes {what}" for sentence, what in SENTENCES.items()},
            "faults": {kind: sentence for kind, (sentence, _) in KINDS.items()}
            if self._config.fault_control
            else "off",
        }


def _page(facts: dict[str, Any]) -> str:
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        "<title>OpenCTO sandbox</title></head><body>",
        f"<h1>This is a sandbox</h1><p>{html.escape(facts['what'])}</p>",
        f"<h2>It can</h2>{_list(facts['can'])}<h2>It cannot</h2>{_list(facts['cannot'])}",
        f"<h2>Keys</h2><p>It takes {html.escape(facts['keys'])}.</p>",
    ]
    if facts["testKeys"]:
        parts.append("<p>A key that begins with one of these provokes an answer on purpose:</p>")
        parts.append(_list([f"{word}: {meaning}" for word, meaning in facts["testKeys"].items()]))
    parts.append(
        f"<h2>Numbers</h2><p>{html.escape(facts['tokens'])}</p><p>Demo data: {html.escape(facts['demo'])}.</p>"
    )
    parts.append(f"<p>Models and prices as of {facts['catalogueOf']}. OpenCTO {facts['version']}.</p></body></html>")
    return "".join(parts)


def _list(items: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(item)}</li>' for item in items)}</ul>"
