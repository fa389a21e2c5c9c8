"""The peers of `python -m benchmarks.upstream`: nginx as the upstream that answers at once, nginx as the cheapest proxy
there is, and LiteLLM's proxy without a database, in an environment of its own under `.bench/`.
"""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import ROOT, Running, free_port, launched

CHAT_MODEL, REALTIME_MODEL = "gpt-6-luna", "gpt-realtime-2.1"
CHUNKS = 50
STREAMED = "streamed"
"""LiteLLM's name for the model whose upstream answers in chunks."""
PEERS = ROOT / ".bench"

_MINTED = (
    '{"value":"ek_benchmark0123456789","expires_at":4102444800,'
    '"session":{"type":"realtime","object":"realtime.session","id":"sess_benchmark","model":"gpt-realtime-2.1"}}'
)
_USAGE = '{"prompt_tokens":60,"completion_tokens":50,"total_tokens":110,"prompt_tokens_details":{"cached_tokens":0}}'
_CHAT = (
    '{"id":"chatcmpl-benchmark","object":"chat.completion","created":1700000000,"model":"gpt-6-luna","choices":[{"index":0,'
    '"message":{"role":"assistant","content":"Everything runs. Nothing waits for you."},"finish_reason":"stop"}],"usage":'
    + _USAGE
    + "}"
)


@dataclass(frozen=True)
class Target:
    """Something that answers on a port. `requests`: name of a case to (path, headers, body)."""

    name: str
    running: Running
    requests: Mapping[str, tuple[str, Mapping[str, str], str]]
    note: str = ""


def missing() -> str | None:
    """What has to be installed first, None when all is there."""
    absent = [name for name in ("nginx", "wrk") if shutil.which(name) is None]
    return f"apt-get install {' '.join(absent)}" if absent else None


@contextmanager
def mock_upstream(folder: Path) -> Generator[Running]:
    """OpenAI that knows three answers by heart: a client secret, a chat answer, and one in 50 chunks (`/v1` and `/streamed/v1`).

    `/connections` tells how many connections it has accepted and how many requests they carried.
    """
    streamed = folder / "stream.txt"
    streamed.write_text("".join(_chunks()))
    rules = f"""
    location = /v1/realtime/client_secrets {{ default_type application/json; return 200 '{_MINTED}'; }}
    location = /v1/chat/completions {{ default_type application/json; return 200 '{_CHAT}'; }}
    location = /streamed/v1/chat/completions {{
      default_type text/event-stream; error_page 405 =200 /stream.txt; return 405;
    }}
    location = /stream.txt {{ default_type text/event-stream; types {{ }} root {folder}; }}
    location = /connections {{ stub_status; }}
    """
    with _nginx(folder, "mock", rules, core=0) as server:
        yield server


@contextmanager
def nginx_proxy(folder: Path, upstream: int, *, name: str = "proxy") -> Generator[Target]:
    """Passes everything on over kept connections, streams unbuffered: the floor of a proxy."""
    rules = """
    location / {
      proxy_pass http://upstream; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
      proxy_set_header Authorization "Bearer sk-benchmark";
    }
    """
    kept = f"upstream upstream {{ server 127.0.0.1:{upstream}; keepalive 64; }}"
    with _nginx(folder, name, rules, core=1, outside=kept) as server:
        yield Target("nginx", server, _requests({}, CHAT_MODEL, "streamed/v1"))


@contextmanager
def litellm(folder: Path, upstream: int) -> Generator[Target]:
    """LiteLLM's proxy in its cheapest mode: one worker, no database, errors only in the log."""
    key = f"sk-{secrets.token_hex(16)}"
    models = "".join(
        f"  - model_name: {name}\n    litellm_params: {{model: openai/{model}, api_base: 'http://127.0.0.1:{upstream}/{base}', "
        "api_key: sk-benchmark}\n"
        for name, model, base in (
            (CHAT_MODEL, CHAT_MODEL, "v1"),
            (REALTIME_MODEL, REALTIME_MODEL, "v1"),
            (STREAMED, CHAT_MODEL, "streamed/v1"),
        )
    )
    config = folder / "litellm.yaml"
    config.write_text(f"model_list:\n{models}general_settings:\n  master_key: {key}\n")
    program = _litellm_program()
    port = free_port()
    command = [str(program), "--config", str(config), "--port", str(port), "--host", "127.0.0.1", "--num_workers", "1"]
    environ = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_DOCS": "True"}
    with launched(
        "litellm", command, port, "/health/liveliness", environ, folder / "litellm.log", patience=180
    ) as server:
        yield Target("litellm", server, _requests({"Authorization": f"Bearer {key}"}, STREAMED, "v1"))


def plain_requests() -> dict[str, tuple[str, Mapping[str, str], str]]:
    """What one asks OpenAI itself."""
    return _requests({}, CHAT_MODEL, "streamed/v1")


def _requests(
    headers: Mapping[str, str], streamed_model: str, streamed_base: str
) -> dict[str, tuple[str, Mapping[str, str], str]]:
    """OpenAI's own three requests."""
    session = f'{{"session":{{"type":"realtime","model":"{REALTIME_MODEL}"}}}}'
    chat = f'{{"model":"{CHAT_MODEL}","messages":[{{"role":"user","content":"What is up?"}}]}}'
    stream = f'{chat[:-1].replace(CHAT_MODEL, streamed_model)},"stream":true}}'
    return {
        "mint": ("/v1/realtime/client_secrets", headers, session),
        "respond": ("/v1/chat/completions", headers, chat),
        "respond streamed": (f"/{streamed_base}/chat/completions", headers, stream),
    }


def _chunks() -> Generator[str]:
    shared = f'"id":"chatcmpl-benchmark","object":"chat.completion.chunk","created":1700000000,"model":"{CHAT_MODEL}"'
    for number in range(CHUNKS):
        words = "A sentence ends. " if number % 10 == 9 else "word after word "
        yield f'data: {{{shared},"choices":[{{"index":0,"delta":{{"content":"{words}"}},"finish_reason":null}}]}}\n\n'
    yield f'data: {{{shared},"choices":[{{"index":0,"delta":{{}},"finish_reason":"stop"}}]}}\n\n'
    yield f'data: {{{shared},"choices":[],"usage":{_USAGE}}}\n\ndata: [DONE]\n\n'


@contextmanager
def _nginx(folder: Path, name: str, rules: str, *, core: int, outside: str = "") -> Generator[Running]:
    port, home = free_port(), folder / name
    home.mkdir()
    (home / "nginx.conf").write_text(
        f"""
        {"user root;" if os.geteuid() == 0 else ""} daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log;
        events {{ worker_connections 4096; }}
        http {{
          access_log off; keepalive_requests 10000000; keepalive_timeout 600s; tcp_nodelay on;
          client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
          uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
          {outside}
          server {{ listen 127.0.0.1:{port} backlog=4096; location = /alive {{ return 200; }} {rules} }}
        }}
        """
    )
    command = ["nginx", "-p", str(home), "-e", str(home / "error.log"), "-c", str(home / "nginx.conf")]
    with launched(name, command, port, "/alive", {}, home / "log", core=core) as server:
        yield server


def _litellm_program() -> Path:
    """Install it once, out of the way of our own environment."""
    program = PEERS / "litellm" / "bin" / "litellm"
    if not program.exists():
        print("→ installing LiteLLM into .bench/litellm (once; about 700 MB)", file=sys.stderr)
        uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
        subprocess.run([uv, "venv", "--quiet", str(PEERS / "litellm")], check=True)
        environ = {**os.environ, "VIRTUAL_ENV": str(PEERS / "litellm")}
        subprocess.run([uv, "pip", "install", "--quiet", "litellm[proxy]==1.106.2"], check=True, env=environ)
    return program
