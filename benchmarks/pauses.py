"""`python -m benchmarks.pauses`: whether semantic turn detection waits on an unfinished sentence, and only there.

Pico says the beginning of a sentence, is silent for a second, and says the rest: that must be one turn. A whole sentence with the same
silence behind it must be over before that. What is claimed is claimed for the ten and ten that were written after the last change of
the rules.
Printed for each that went wrong: what the ears had understood when they decided. Needs the extra `local`.
"""

import argparse
import asyncio
import sys

from opencto.sandbox.hearing.ears import LocalEars
from opencto.sandbox.hearing.whisper import Whisper
from opencto.sandbox.ports import BYTES_PER_MS, Heard, SpeechStopped, TurnSettings
from opencto.sandbox.speech.pico import Pico

PAUSE_MS = 1_000
_PIECE_MS = 40
UNFINISHED = (
    ("Show me the costs of", "last week."),
    ("I would like to know whether", "the release is out."),
    ("Please deploy the", "checkout service."),
    ("Could you compare it with", "the month before?"),
    ("We need to look at the errors and", "the slow requests."),
    ("Tell me how many", "customers we lost."),
    ("Open an incident for", "the payment service."),
    ("If the error rate is above two percent", "roll it back."),
    ("Which of our", "services failed today?"),
    ("Remind me to call", "the bank on Friday."),
    ("What did we spend on", "storage in October?"),
    ("I think that", "we should restart it."),
    ("Send the report to", "Maria and Tom."),
    ("The second thing is, um", "the certificate runs out."),
    ("Roll back the release because", "the login is broken."),
    ("Is there anybody who", "knows the billing code?"),
    ("Move the meeting from", "Monday to Tuesday."),
    ("Let's see, so", "what is on fire?"),
    ("Can you", "list the open pull requests?"),
    ("Give me the", "newest three tickets."),
)
FINISHED = (
    "What did we spend last week?",
    "Which models do we have?",
    "Is anything broken right now?",
    "Show me the open incidents.",
    "Please roll back the last release.",
    "How many requests failed yesterday?",
    "Remember that the database moves on Friday.",
    "Who approved the deployment this morning?",
    "Stop.",
    "Yes, please do it.",
    "The checkout is slow again.",
    "Thank you very much.",
    "Close the first one.",
    "What can you do for me?",
    "Restart the billing service.",
    "I have no idea.",
    "Tell me more about it.",
    "Are we near any rate limit?",
    "Send it to everyone.",
    "That is all for today.",
)


LATER = (
    ("The invoices are sent by", "the billing service."),
    ("Do you know whose", "turn it is?"),
    ("I want to restart the", "search cluster tonight."),
    ("Show me the traffic between", "noon and midnight."),
    ("Put the blame on", "the load balancer."),
    ("Add a note that", "the backup is late."),
    ("When the deployment is over and", "the tests are green, tell me."),
    ("How much", "memory does the worker use?"),
    ("Write to our", "customers in Spain."),
    ("We were at", "ninety percent this morning."),
)
FINISHED_LATER = (
    "Turn the lights on.",
    "What is going on?",
    "Log me in.",
    "Who is on call?",
    "The deployment is over.",
    "How many errors are there?",
    "Give me the newest ticket.",
    "I would like to see the costs.",
    "Pay the invoice tomorrow.",
    "Come on.",
)


class Overheard(Whisper):
    """Keeps what it understood."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    async def transcribe(self, pcm: bytes, *, is_final: bool, prompt: str = "") -> Heard:
        found = await super().transcribe(pcm, is_final=is_final, prompt=prompt)
        self.heard.append(found.text)
        return found


async def _said(text: str, voice: str) -> bytes:
    return b"".join([piece.pcm async for piece in Pico().speak(text, voice=voice)])


async def _turns(ears: LocalEars, sound: bytes) -> int:
    detector = ears.turn_detector(TurnSettings("semantic"))
    size = _PIECE_MS * BYTES_PER_MS
    events = [event for at in range(0, len(sound), size) for event in await detector.push(sound[at : at + size])]
    return sum(isinstance(event, SpeechStopped) for event in events)


def _silence(ms: int) -> bytes:
    return bytes(ms * BYTES_PER_MS)


async def _measure(voices: list[str]) -> None:
    whisper = Overheard()
    ears = LocalEars(whisper)
    for what, cases in (
        ("unfinished, for tuning", UNFINISHED),
        ("unfinished, held out", LATER),
        ("finished, for tuning", _whole(FINISHED)),
        ("finished, held out", _whole(FINISHED_LATER)),
    ):
        right = 0
        for voice in voices:
            for begun, rest in cases:
                whisper.heard.clear()
                sound = _silence(600) + await _said(begun, voice) + _silence(PAUSE_MS)
                turns = await _turns(ears, sound + (await _said(rest, voice) + _silence(400) if rest else b""))
                is_right = turns <= 1 if rest else turns == 1
                right += is_right
                if not is_right:
                    print(f"  {voice}: {begun!r} was heard as {whisper.heard}, {turns} turns")
        print(f"{what}: {right} of {len(cases) * len(voices)} right", flush=True)


def _whole(sentences: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((one, "") for one in sentences)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pauses", description=__doc__)
    parser.add_argument("--voices", nargs="*", default=["marin", "cedar"])
    asyncio.run(_measure(parser.parse_args().voices))
    return 0


if __name__ == "__main__":
    sys.exit(main())
