"""A page that talks, seen from inside: the server, the sandbox behind a wire that can be cut, and a probe in the page."""

import base64
import contextlib
import json
import os
import re
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from dashboard.conftest import Watch
from dashboard.cutting import Wire, wire_to
from dashboard.speaking import microphone_file
from dashboard.world import ADA, World, settle
from opencto.sandbox.faults import SOCKET_PATH
from opencto.sandbox.ports import BYTES_PER_MS, Ears, Heard
from opencto.sandbox.senses import Senses, local
from opencto.testing import RunningSandbox, running_sandbox
from serving import serve

HERE = Path(__file__).parent
QUESTION = "How much did we spend last week?"
ELSEWHERE = "opencto.test"
"""A name of this machine that browsers do not trust as they trust localhost."""
SHORT_MINUTES = 0.08
HEARING_MS = 60_000
"""A bound: the local ears may take long on a busy machine."""
RELEASED_MS = 200
"""So soon after a fault the microphone is let go."""
QUIET: dict[str, Any] = {"isPushToTalk": True, "isSpoken": False}
"""Where the sound is not the point: the microphone is open and held back, and answers are in writing."""
MODELS, MODELS_ANSWER = "Which realtime models do we have?", "Seven models"

_OF_THE_BROWSER = re.compile(
    r"Failed to load resource: the server responded with a status of [45]\d\d|WebSocket connection to |"
    "The Cross-Origin-Opener-Policy header has been ignored"
)


class KnownWords:
    """A recogniser that knows beforehand what is said: the question. Costs nothing, where only the sound is the point."""

    is_busy = False

    async def transcribe(self, pcm: bytes, *, is_final: bool, prompt: str = "") -> Heard:  # noqa: ARG002 - the protocol's names
        return Heard(QUESTION if is_final or len(pcm) > BYTES_PER_MS * 1_500 else "How much")


class Patient(Watch):
    """Takes what a browser itself writes of a call that was refused or a line that broke: no page can keep it from that."""

    def on_console(self, message: ConsoleMessage) -> None:
        if not _OF_THE_BROWSER.match(message.text):
            super().on_console(message)


@dataclass
class Stage:
    """A server with a key, OpenAI's place taken by the sandbox, and the wire between them."""

    world: World
    sandbox: RunningSandbox
    short: RunningSandbox
    """The same sandbox, whose sessions last five seconds."""
    wire: Wire

    def fail(self, kind: str, path: str = SOCKET_PATH, *, value: float | None = None, times: int | None = 1) -> None:
        """By the sandbox's own control route."""
        body = {"kind": kind, "path": path, "value": value, "times": times}
        answer = httpx2.post(f"{self.sandbox.base_url}/_faults", json=body)
        assert answer.status_code == 201, answer.text

    def heal(self) -> None:
        httpx2.delete(f"{self.sandbox.base_url}/_faults").raise_for_status()
        self.wire.heal(_address(self.sandbox.base_url))

    def shorten(self) -> None:
        """From now on a session lasts five seconds."""
        self.wire.sockets = _address(self.short.base_url)

    def usage(self) -> Any:
        """What the books of the workspace say, in calls and tokens."""
        found = self.world.ada.http.get("/api/v1/ledger", params={"limit": 200, "workspaceId": self.world.workspace})
        assert found.status_code == 200, found.text
        return found.json()


@contextlib.contextmanager
def stage(folder: Path, port: int, ears: Ears | None = None) -> Generator[Stage]:
    """A stage in `folder`, until the block ends. `ears` None are those of the sandbox."""
    senses = Senses(ears, local().voice) if ears else None
    folder.mkdir(parents=True, exist_ok=True)
    books = folder / "openai.db"
    with (
        running_sandbox(database=books, demo=True, senses=senses) as sandbox,
        running_sandbox(database=books, demo=True, realtime_minutes=SHORT_MINUTES) as short,
        wire_to(sandbox.base_url) as wire,
        serve(
            folder / "data",
            port,
            {
                "OPENAI_BASE_URL": wire.base_url,
                "OPENAI_API_KEY": "sk-proj-harbour-0001-abcdefghij",
                "OPENAI_ADMIN_KEY": "sk-admin-harbour-0001-abcdefghij",
                "RATE_LIMIT_REALTIME_PER_MINUTE": "10000",  # the server's clock stands still
            },
        ) as served,
    ):
        world = settle(served, keys=False)
        world.ada.send("PATCH", f"/api/v1/workspaces/{world.workspace}/projects", {"ownsOrganization": True})
        yield Stage(world, sandbox, short, wire)
        world.close()


@contextlib.contextmanager
def hearing(
    file: Path, *, is_once: bool = False, is_asked: bool = True, is_compiling: bool = True
) -> Generator[Browser]:
    """A Chromium whose microphone plays `file` again and again, or once. Whether a page may have it, its context
    says; with `is_asked` False every page may. One page at a time: they share the file, and disturb each other.
    With `is_compiling` False what a page does often is not made into machine code, which would be part of its heap."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path is not None, "The tests need Chromium. Run `make services`."
    arguments = [
        f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={file}{'%noloop' if is_once else ''}",
        *([] if is_asked else ["--use-fake-ui-for-media-stream"]),
        *([] if is_compiling else ["--js-flags=--jitless"]),
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


def question_file(folder: Path, pause: float = 1.5) -> Path:
    """The question after two and a half seconds, and silence after it."""
    return microphone_file(folder / "question.wav", [2.5, QUESTION, pause])


@contextlib.contextmanager
def visit(
    browser: Browser,
    stage: Stage,
    *,
    origin: str | None = None,
    taps: bool = False,
    may_hear: bool = True,
    is_probed: bool = True,
    who: str = ADA,
    **how: Any,
) -> Generator["Talker"]:
    """A page of Ada, or of `who`, with the probe in it, and nothing in its console at the end. `taps`: what is played and heard is kept."""
    place = origin or stage.world.origin
    usual: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
    context = browser.new_context(
        base_url=place,
        service_workers="block",
        bypass_csp=taps,
        permissions=["microphone"] if may_hear else ["clipboard-read"],  # what is not given is refused
        **{**usual, **how},
    )
    context.set_default_timeout(15_000)
    context.add_cookies([{**stage.world.cookie(who), "url": place}])
    if is_probed:
        context.add_init_script(path=HERE / "talk_probe.js")
    if taps:  # a module of ours is a stranger to the page, so its policy is off; the other visits keep it
        tap = (HERE / "talk_tap.js").read_text("utf-8")
        context.add_init_script(f"window.__tap = {json.dumps(tap)};")
    watch = Patient((place, stage.wire.base_url.removesuffix("/v1").replace("http", "ws")))
    context.on("page", watch.follow)
    yield Talker(context.new_page(), stage, watch)
    context.close()
    assert watch.complaints == [], watch.complaints


@dataclass
class Talker:
    """One page, worked as a person works it."""

    page: Page
    stage: Stage
    watch: Patient

    def open(self, **choices: Any) -> "Talker":
        """The talk page as for the first time, with these choices made before."""
        page = self.page
        page.goto("/health")  # of the same origin, and light
        page.evaluate("choices => localStorage.setItem('opencto.talk', JSON.stringify(choices))", choices)
        page.goto("/talk")
        page.get_by_role("button", name="Start talking").wait_for()
        return self

    @property
    def said(self) -> Locator:
        return self.page.get_by_label("What was said")

    @property
    def trouble(self) -> Locator:
        return self.page.get_by_role("alert")

    def start(self) -> None:
        self.page.get_by_role("button", name="Start talking").click()

    def begin(self) -> "Talker":
        """A conversation with the microphone open."""
        self.start()
        self.until("got.some((one) => one.type === 'session.updated')")
        self.reaches("Ready", "Listening")
        assert self.live_tracks == 1
        return self

    def ask(self, text: str) -> None:
        box = self.page.get_by_placeholder("Write instead…")
        box.fill(text)
        box.press("Enter")

    def answered(self, times: int = 1) -> None:
        """A question in writing and its answer, for the so manieth time."""
        self.ask(MODELS)
        expect(self.said.get_by_text(MODELS_ANSWER)).to_have_count(times)
        self.reaches("Ready", "Listening", "Text only")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).last.click()

    def converse(self) -> None:
        """A conversation from its beginning to its end: a word in writing, and the answer. Needs no probe."""
        self.page.get_by_role("button", name=re.compile("Start (talking|again)")).click()
        self.page.get_by_role("button", name="Hang up").wait_for()
        self.reaches("Ready")
        self.ask("Hello")
        expect(self.said.locator(".cto.completed")).to_have_count(1)
        self.hang_up()

    def recorded(self) -> dict[str, Any]:
        """What the server keeps of the last conversation, as its person reads it. One that was renewed is that of its first line."""
        ada, world = self.stage.world.ada, self.stage.world
        sessions = ada.send("GET", f"/api/v1/realtime/sessions?workspaceId={world.workspace}&limit=5")["data"]
        renewed = max(0, self.count("session.created", "got") - 1)
        return ada.send("GET", f"/api/v1/realtime/sessions/{sessions[renewed]['id']}")

    def hang_up(self) -> None:
        self.press("Hang up")
        self.reaches("Ended")

    def reaches(self, *words: str) -> None:
        """The word under the ring becomes one of these."""
        expect(self.page.locator(".talk-word")).to_have_text(re.compile(f"^({'|'.join(words)})$"), timeout=15_000)

    def probe(self, expression: str) -> Any:
        return self.page.evaluate(f"window.__probe.{expression}")

    def until(self, what: str, seconds: float = 15) -> None:
        """Until this is so of the probe. The page's policy lets no string be evaluated in it, so it is asked from here."""
        self.page.evaluate(
            f"""seconds => new Promise((resolve, reject) => {{
              const probe = window.__probe;
              const began = performance.now();
              const look = setInterval(() => {{
                if (probe.{what}) resolve();
                else if (performance.now() - began < seconds * 1000) return;
                else reject(new Error("it did not happen"));
                clearInterval(look);
              }}, 20);
            }})""",
            seconds,
        )

    def sent(self, kind: str) -> list[dict[str, Any]]:
        return self.page.evaluate("kind => window.__probe.sent.filter((one) => one.type === kind)", kind)

    def got(self, kind: str) -> list[dict[str, Any]]:
        return self.page.evaluate("kind => window.__probe.got.filter((one) => one.type === kind)", kind)

    def count(self, kind: str, what: str = "sent") -> int:
        return len(self.sent(kind) if what == "sent" else self.got(kind))

    @property
    def live_tracks(self) -> int:
        return self.probe("live()")

    @property
    def tracks(self) -> int:
        """How many the page was ever given."""
        return self.probe("tracks.length")

    def released_ms_after(self, what: str) -> float:
        """From the last `what` in the log of the page (or the end of the last call of the API) to the last track."""
        assert self.tracks > 0, "there was a track to release"
        assert self.live_tracks == 0
        return self.page.evaluate(
            """what => {
              const { got, marks, released } = window.__probe;
              return released() - [...got, ...marks].filter((one) => one.type === what).at(-1).at;
            }""",
            what,
        )

    def is_left_alone(self, milliseconds: int = 700) -> None:
        """Nothing more leaves the page: no frame, and above all no wish for an answer."""
        before = self.probe("sent.length")
        self.page.wait_for_timeout(milliseconds)  # that nothing happens has no event
        more = [one["type"] for one in self.probe(f"sent.slice({before})")]
        assert more == [], more


class Kept:
    """What a page holds on to, once all that nothing needs any more was collected."""

    def __init__(self, page: Page) -> None:
        self._line: Any = page.context.new_cdp_session(page)  # what it answers has no types
        self._line.send("Performance.enable")

    @property
    def heap_bytes(self) -> int:
        """Of its own, and of what was compiled from its scripts."""
        return self._metrics()["JSHeapUsedSize"]

    @property
    def listeners(self) -> int:
        return self._metrics()["JSEventListeners"]

    def count(self, kind: str) -> int:
        """How many objects of a class there are; an `Object` is nearly each, functions and lists too."""
        prototype = self._line.send("Runtime.evaluate", {"expression": f"{kind}.prototype"})["result"]["objectId"]
        found = self._line.send("Runtime.queryObjects", {"prototypeObjectId": prototype})["objects"]["objectId"]
        length = {"objectId": found, "functionDeclaration": "function () { return this.length }", "returnByValue": True}
        count: int = self._line.send("Runtime.callFunctionOn", length)["result"]["value"]
        for mine in (prototype, found):
            self._line.send("Runtime.releaseObject", {"objectId": mine})
        return count

    def _metrics(self) -> dict[str, int]:
        for _ in range(3):  # what is let go by one may be the last to hold something else
            self._line.send("HeapProfiler.collectGarbage")
        return {one["name"]: int(one["value"]) for one in self._line.send("Performance.getMetrics")["metrics"]}


@dataclass
class Recording:
    """What flowed through a node: samples from -32768 to 32767, the frame of the context at which they begin, and how many
    frames the recorder was not called for, which are silence in it."""

    rate: int
    begin: int
    missed: int
    samples: NDArray[np.int16]


def recording(page: Page, what: str) -> Recording:
    """`played`: what went to the loudspeaker. `heard`: what came from the microphone."""
    found = page.evaluate(f"window.__probe.recorded(window.__probe.{what})")
    samples = np.frombuffer(base64.b64decode(found["samples"]), "<i2")
    return Recording(found["rate"], found["begin"], found["missed"], samples)


def _address(base_url: str) -> tuple[str, int]:
    parts = urlsplit(base_url)
    return (parts.hostname or "127.0.0.1", parts.port or 80)
