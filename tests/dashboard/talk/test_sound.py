"""The sound of the talk page, measured from a recording of what it plays and hears.

It talks for a minute: its microphone asks the question again and again and so interrupts every answer; in the second half the
answers come slower than they are spoken, so that the player runs dry.
"""

import re
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from dashboard.minute import Minute
from dashboard.soundly import RATE
from dashboard.talking import KnownWords, Stage, Talker, visit
from opencto.sandbox.hearing.ears import LocalEars
from opencto.sandbox.ports import Ears

SECONDS = 60
UNDERRUN_BYTES_PER_SECOND = 45_000
"""Two thirds of what an answer needs on the wire."""
BARGE_IN_MS, TRUNCATE_MS, MESSAGES_PER_SECOND = 50, 60, 50
LEAST_INTERRUPTIONS = 4

pytestmark = [
    pytest.mark.measured,
    pytest.mark.timeout(300),  # a minute of talk, and what a busy machine makes of it
]


@pytest.fixture(scope="module")
def ears() -> Ears:
    """The words are known: the sound is the point."""
    return LocalEars(KnownWords())


@pytest.fixture(scope="module")
def streaming(browser: Browser, the_stage: Stage) -> Iterator[Talker]:
    """The page that talks for a minute."""

    def slow() -> None:
        the_stage.wire.bytes_per_second = UNDERRUN_BYTES_PER_SECOND

    with visit(browser, the_stage, taps=True) as talker:
        talker.open(isSpoken=True)
        talker.page.evaluate("() => { window.__probe.keepsSent = [] }")
        talker.begin()
        halfway = threading.Timer(SECONDS / 2, slow)
        halfway.start()
        yield talker
        halfway.cancel()


@pytest.fixture(scope="module")
def minute(streaming: Talker) -> Minute:
    """The measured minute; longer on a machine that is too busy to interrupt often enough in it."""
    streaming.until(f"sent[0].at < performance.now() - {SECONDS * 1000}", SECONDS + 20)
    cuts = "sent.filter((one) => one.type === 'conversation.item.truncate')"
    streaming.until(f"{cuts}.length >= {LEAST_INTERRUPTIONS}", 60)
    streaming.until(f"{cuts}.at(-1).at - probe.sent[0].at > {SECONDS * 600}", 60)  # one that ran dry
    return Minute.of(streaming)


def test_an_answer_falls_silent_within_50_ms_of_the_word_that_somebody_speaks(minute: Minute) -> None:
    waits = minute.silences_ms()
    assert len(waits) >= LEAST_INTERRUPTIONS, waits
    assert np.percentile(waits, 95) <= BARGE_IN_MS, waits


def test_the_service_is_told_what_was_heard_to_60_ms_underruns_included(minute: Minute) -> None:
    errors = minute.truncate_errors_ms()
    assert len(errors) >= LEAST_INTERRUPTIONS - 1, errors
    assert max(errors) <= TRUNCATE_MS, errors


def test_the_player_ran_dry_and_left_nothing_out(minute: Minute) -> None:
    moves = minute.moves()
    assert len(moves) > 50
    assert min(moves) > -RATE // 1000, "no sample was left out"
    assert max(moves) > 5 * RATE // 1000, "the player ran dry, and silence was put between"


def test_the_microphone_is_sent_whole_for_a_minute(minute: Minute) -> None:
    shifts = minute.shifts()
    assert len(shifts) > 40
    assert max(shifts) - min(shifts) <= 2, "every sample that the microphone gave, and none twice"
    assert len(minute.appended) >= SECONDS * RATE * 0.98


def test_no_second_of_it_has_more_than_50_messages(minute: Minute) -> None:
    assert len(minute.sent) > 5 * SECONDS
    assert minute.most_messages_a_second() <= MESSAGES_PER_SECOND


def test_captions_stand_in_order_and_what_nobody_heard_is_grey(minute: Minute, streaming: Talker) -> None:
    captions = streaming.page.locator(".talk-caption").all_inner_texts()
    said_by = "".join(one.split()[0][0] for one in captions)
    assert said_by.startswith("Y")
    assert "CC" not in said_by, "each answer stands after its question"
    interrupted = streaming.page.locator(".talk-caption.cto.interrupted")
    assert interrupted.count() >= 4
    for place, (cut, _) in enumerate(minute.interruptions()[:3]):
        words = interrupted.nth(place).locator(".talk-words")
        grey = words.locator(".talk-unspoken").inner_text()
        whole = re.sub(r"\s*\(?interrupted\)?$", "", words.inner_text())
        share = cut["endMs"] / (len(minute.answers[cut["item"]]) * 1000 / RATE)
        assert whole.endswith(grey.strip())
        assert abs((1 - len(grey) / len(whole)) - share) < 0.25, (whole, grey, share)
        expect(interrupted.nth(place)).to_contain_text("interrupted")
