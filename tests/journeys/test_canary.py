"""The canary: planted keys are driven through everything that touches a key, with all that talks switched on. Then every
byte that came out or lies on the disk is searched for them: as they are, in hex, in base64.
"""

import base64
import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psycopg
from psycopg import sql
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from journeys.program import PATIENCE_SECONDS, Program, opencto
from opencto.core.configuration import load
from opencto.core.secret import Secret
from opencto.house import open_house, open_vault
from opencto.sandbox.app import create_sandbox, standing_alone
from opencto.sandbox.config import SandboxConfig
from opencto.testing import listening
from opencto.vault.ports import OnBehalf
from opencto.wire.keys import KeyProvider, KeyReport
from telemetry.otlp import Receiver, receiver

USER = "sk-proj-canaryUser4pXv93TqLm20ZsRtWb81KdHg"
SHARED = "sk-proj-canaryTeam7uYc52NfJw64QeGiOa39BxMn"
ADMIN = "sk-admin-canaryAdmin1hDk86VrPz47SbUoEt05CyLq"
SERVER = "house-canaryServer9wFj31XmKs58TnRvGd72HpZe"  # a gateway's: nothing but its being a key tells that it is one
SERVER_ADMIN = "house-canaryBooks5bQt07LgWc93YkMxNa46JfVr"
REVOKED = "sk-revoked-canaryGone2mBz64PwQx18DvFsEn57AhJc"
ECHOED = "sk-proj-canaryEcho8rGk29VtHy75ZcLoUb03XiWm"
"""This one's refusal repeats it in full."""
KEYS = "/api/v1/llm/keys"
MINT, RESPOND = "/api/v1/realtime/token", "/v1/respond"


class Loudmouth:
    """The sandbox, except that it refuses one key with an error that repeats it everywhere it can."""

    def __init__(self, folder: Path) -> None:
        self._sandbox = create_sandbox(SandboxConfig(database=folder / "upstream.db", demo=False))
        self._app = standing_alone(self._sandbox)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        given = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
        if given == ECHOED:
            error = {"message": f"Incorrect API key provided: {given}", "type": given, "param": given, "code": given}
            echo = {
                "x-request-id": given,
                "retry-after": given,
                "openai-organization": given,
                "www-authenticate": given,
            }
            await JSONResponse({"error": error, "value": given}, 401 if scope["method"] == "GET" else 400, echo)(
                scope, receive, send
            )
            return
        if given in {SERVER, SERVER_ADMIN}:
            kept = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
            kind = b"sk-admin-gateway" if given == SERVER_ADMIN else b"sk-gateway"
            scope = {**scope, "headers": [*kept, (b"authorization", b"Bearer " + kind)]}
        await self._app(scope, receive, send)

    def close(self) -> None:
        self._sandbox.close()


@contextmanager
def loudmouth(folder: Path) -> Generator[str]:
    app = Loudmouth(folder)
    with listening(app) as origin:
        yield f"{origin}/v1"
    app.close()


@dataclass
class Heard:
    """Everything that came out, by where."""

    places: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def add(self, place: str, what: bytes) -> None:
        self.places[place] = self.places.get(place, b"") + b"\n" + what


def shapes(secret: str) -> Iterator[bytes]:
    """A text as it is, in hex, and in base64 wherever it begins."""
    plain = secret.encode()
    yield plain
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    yield plain[::-1]
    for before in range(3):
        whole = base64.b64encode(b"\x00" * before + plain)
        core = whole[4 if before else 0 : len(whole) - 4]
        yield core
        yield core.replace(b"+", b"-").replace(b"/", b"_")


def drive(program: Program, token: str, heard: Heard) -> str:
    """Use every route that touches a key, well and badly; gives the client secret."""
    bearer = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=program.url, headers=bearer, timeout=PATIENCE_SECONDS) as client:

        def ask(method: str, path: str, wanted: int, body: object = None, **headers: str) -> Any:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = client.request(method, path, json=body, headers=named)
            assert answer.status_code == wanted, f"{method} {path}: {answer.status_code} {answer.text}"
            is_mint = path == MINT and answer.status_code == 201
            heard.add("answers", str(answer.headers).encode() + (b"" if is_mint else answer.content))
            return answer.json() if "json" in answer.headers["Content-Type"] else answer.text

        def use() -> list[str]:
            sources: list[str] = []
            minted = ask("POST", MINT, 201, {}, Idempotency_Key=f"mint-{len(secrets)}")
            sources.append(minted["keySource"])
            ask("POST", MINT, 201, {}, Idempotency_Key=f"mint-{len(secrets)}")
            ask("POST", RESPOND, 200, {"text": "Hello"})
            ask("POST", RESPOND, 200, {"text": "What can you do?", "stream": True}, Idempotency_Key="talk")
            secrets.append(minted["clientSecret"])
            return sources

        secrets: list[str] = []
        assert use() == ["server"]
        ask("PUT", f"{KEYS}/openai", 200, {"apiKey": SHARED, "scope": "workspace"}, Idempotency_Key="save")
        ask("PUT", f"{KEYS}/openai", 200, {"apiKey": SHARED, "scope": "workspace"}, Idempotency_Key="save")
        assert use() == ["workspace"]
        saved = ask("PUT", f"{KEYS}/openai", 200, {"apiKey": USER})
        assert saved["state"] == "ok"
        ask("PUT", f"{KEYS}/openai-admin", 200, {"apiKey": ADMIN})
        assert use() == ["user"]
        # Mistakes: the other slot, a key with a line break, in the query, as a name, as a credential, broken JSON.
        ask("PUT", f"{KEYS}/openai", 422, {"apiKey": ADMIN})
        ask("PUT", f"{KEYS}/openai-admin", 422, {"apiKey": USER})
        ask("PUT", f"{KEYS}/openai", 422, {"apiKey": f"{USER}\n"})
        ask("PUT", f"{KEYS}/openai", 422, {USER: USER, "apiKey": USER})
        ask("PUT", f"{KEYS}/{USER}", 422, {"apiKey": USER})
        ask("GET", f"{KEYS}?apiKey={USER}&workspaceId={USER}", 404)
        ask("POST", MINT, 422, {"model": USER})
        ask("POST", MINT, 422, {"voice": USER})
        ask("POST", RESPOND, 422, {"text": "x", "conversationId": USER})
        ask("GET", f"/nowhere/{USER}", 404)
        ask("GET", KEYS, 401, Authorization=f"Bearer {USER}")
        broken = client.put(
            f"{KEYS}/openai", content=f'{{"apiKey": "{USER}"', headers={"Content-Type": "application/json"}
        )
        assert broken.status_code == 400
        heard.add("answers", broken.content)
        # Keys that OpenAI refuses, saying which.
        for refused, state in ((REVOKED, "rejected"), (ECHOED, "rejected")):
            assert (ask("PUT", f"{KEYS}/openai", 200, {"apiKey": refused}))["state"] == state
            assert USER[-4:] not in str(ask("GET", KEYS, 200))
            ask("POST", MINT, 502, {})
            ask("POST", RESPOND, 502, {"text": "x"})
            ask("POST", RESPOND, 502, {"text": "x", "stream": True})
        assert ask("PUT", f"{KEYS}/openai", 200, {"apiKey": USER})
        heard.add("metrics", (client.get("/metrics")).content)
        for path in (KEYS, "/api/v1/ledger?limit=200", "/api/v1/audit?limit=200", "/api/v1/audit/export"):
            heard.add(path, (client.get(path)).content)
        heard.add("csv", (client.get("/api/v1/audit/export?format=csv")).content)
    assert len(secrets) == 3
    return secrets[0]


class Nobody:
    """A rotation tries no key."""

    async def check(self, provider: KeyProvider, key: Secret, owner: OnBehalf) -> KeyReport:  # noqa: ARG002 - the port's shape
        raise AssertionError("a key was tried")


def rotate(data: Path, database_url: str | None) -> int:
    """What an operator does while the server runs; how many keys were exchanged."""
    variables = {"OPENCTO_DATA_DIR": str(data), **({"OPENCTO_DATABASE_URL": database_url} if database_url else {})}
    house = open_house(load(variables).settings)
    try:
        rotated = open_vault(house, Nobody()).rotate(lambda _done, _all: None)
        assert rotated.stuck == []
        return rotated.wrapped
    finally:
        house.database.close()


def tables_of(database_url: str) -> bytes:
    """Every row of every table as text; bytes are in hex there."""
    found = b""
    with psycopg.connect(database_url) as connection:
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        for (name,) in names:
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(name))
            found += "\n".join(row[0] for row in connection.execute(query)).encode()
    return found


def delete_and_check(program: Program, token: str, heard: Heard) -> None:
    with httpx2.Client(
        base_url=program.url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_SECONDS
    ) as client:
        minted = client.post(MINT, json={})
        assert (minted.status_code, minted.json()["keySource"]) == (201, "user"), "after the rotation"
        for path in (f"{KEYS}/openai", f"{KEYS}/openai?scope=workspace", f"{KEYS}/openai-admin"):
            answer = client.delete(path)
            assert answer.json()["deleted"] is True
            heard.add("answers", answer.content)
        assert (client.post(MINT, json={})).json()["keySource"] == "server"


def logged(program: Program, found: Receiver, heard: Heard) -> None:
    text = program.errors.read_bytes()
    for told in (b"key_rejected", b"request_refused", b'"route": "/api/v1/llm/keys/{provider}"'):
        assert told in text, told
    heard.add("log", text)
    assert any("chat" in name for name in found.spans()), list(found.spans())
    for request in found.requests:
        heard.add("traces", request.SerializeToString() + str(request).encode())


def test_no_key_is_found_anywhere_in_plain(tmp_path: Path, database_url: str | None) -> None:
    data, heard = tmp_path / "data", Heard()
    with loudmouth(tmp_path) as upstream, receiver() as found:
        program = Program(
            data,
            "--log-level",
            "debug",
            "--log-format",
            "json",
            database_url=database_url,
            OPENAI_BASE_URL=upstream,
            OPENAI_API_KEY=SERVER,
            OPENAI_ADMIN_KEY=SERVER_ADMIN,
            OTEL_EXPORTER_OTLP_ENDPOINT=found.url,
            OPENCTO_DRAIN_SECONDS="0",
        )
        with program:
            limits = Path(f"/proc/{program.pid}/limits").read_text()
            assert "Max core file size        0                    0" in limits
            assert int(Path(f"/proc/{program.pid}/coredump_filter").read_text(), 16) == 0
            variables = {"OPENCTO_DATABASE_URL": database_url} if database_url else {}
            made = opencto("token", "create", "canary", "--scope", "all", "--plain", data=data, **variables)
            token = made.stdout.strip()
            assert token.startswith("octo_"), made.stderr
            client_secret = drive(program, token, heard)
            assert rotate(data, database_url) == 3
            while_it_runs = {f"{path.name} while it runs": path.read_bytes() for path in files(data)}
            if database_url:
                heard.add("tables before", tables_of(database_url))
            delete_and_check(program, token, heard)
            assert program.stop() == 0
            assert program.banner
            heard.add("banner", json.dumps(program.banner).encode())
        logged(program, found, heard)
    for path in files(data):
        heard.add(str(path.relative_to(data)), path.read_bytes())
    for name, content in while_it_runs.items():
        heard.add(name, content)
    if database_url:
        heard.add("tables", tables_of(database_url))
    else:
        assert any(name.endswith("-wal while it runs") for name in heard.places), "the WAL was not searched"
    secrets = [USER, SHARED, ADMIN, SERVER, SERVER_ADMIN, REVOKED, ECHOED, token, client_secret]
    leaks = [
        f"{secret[:18]}… is in {place}"
        for secret in secrets
        for place, content in heard.places.items()
        if any(shape in content for shape in shapes(secret))
    ]
    assert not leaks, "; ".join(leaks)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_search_finds_what_it_looks_for() -> None:
    for before in (b"", b"x", b"xy", b"xyz"):
        hidden = base64.b64encode(before + USER.encode() + b" and more")
        assert any(shape in hidden for shape in shapes(USER))
    assert any(shape in USER.encode().hex().encode() for shape in shapes(USER))
    assert not any(shape in SHARED.encode() for shape in shapes(USER))
