"""The recorder of a talk's sound, given the clocks that a sound system has."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from dashboard.talking import HERE, recording

FRAMES, ENOUGH = 128, 192
_AUDIO_THREAD = """
globalThis.currentFrame = 0;
globalThis.AudioWorkletProcessor = class { port = { postMessage: (block) => __probe.played.push({ ...block, rate: 44100 }) } };
globalThis.registerProcessor = (_, Tap) => { globalThis.Tap = Tap };
"""
_RECORD = """frames => {
  const tap = new Tap();
  frames.forEach((frame, number) => {
    globalThis.currentFrame = frame;
    tap.process([[new Float32Array(128).fill((number + 1) / 1000)]], [[new Float32Array(128)]]);
  });
}"""


@pytest.fixture
def thread(browser: Browser) -> Iterator[Page]:
    """A page that stands in for the audio thread."""
    page = browser.new_page()
    page.add_script_tag(path=HERE / "talk_probe.js")
    page.add_script_tag(content=_AUDIO_THREAD)
    page.add_script_tag(path=HERE / "talk_tap.js")
    yield page
    page.close()


def recorded(thread: Page, frames: list[int]) -> tuple[int, int, list[int]]:
    """Where the recording begins, what was missed, and the number of the block that stands at each place of it."""
    thread.evaluate(_RECORD, frames)
    found = recording(thread, "played")
    blocks = found.samples.reshape(-1, FRAMES)
    assert (blocks == blocks[:, :1]).all(), "blocks are whole"
    return found.begin, found.missed, [round(float(one) * 1000 / 32767) - 1 for one in blocks[:, 0]]


def test_each_block_stands_in_its_place(thread: Page) -> None:
    found = recorded(thread, [FRAMES * (10 + number) for number in range(ENOUGH)])
    assert found == (10 * FRAMES, 0, list(range(ENOUGH)))


@pytest.mark.parametrize("late", [62, 63, 64, 100])
def test_a_block_that_is_told_the_frame_of_the_one_before_moves_nothing(thread: Page, late: int) -> None:
    frames = [FRAMES * number for number in range(ENOUGH)]
    frames[late] -= FRAMES
    assert recorded(thread, frames) == (0, 0, list(range(ENOUGH)))


@pytest.mark.parametrize("after", [62, 63, 64, 100])
def test_a_block_that_was_left_out_is_a_hole_and_moves_nothing(thread: Page, after: int) -> None:
    frames = [FRAMES * (number + (number >= after)) for number in range(ENOUGH)]
    begin, missed, blocks = recorded(thread, frames)
    whole = len(blocks) - 1
    assert (begin, missed) == (0, FRAMES)
    assert whole >= after + 64
    assert blocks == [*range(after), -1, *range(after, whole)]
