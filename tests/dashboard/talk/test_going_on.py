"""An answer that was cut short by no word of anybody goes on where it stopped: on a press, or by itself."""

import re

import pytest
from playwright.sync_api import Locator, expect

from dashboard.talking import MODELS, MODELS_ANSWER, QUESTION, Talker
from opencto.sandbox.hearing.ears import LocalEars
from opencto.sandbox.ports import BYTES_PER_MS, Ears, Heard


class Coughs:
    """A recogniser that hears the question once, and no word in anything after it."""

    is_busy = False

    def __init__(self) -> None:
        self.turns = 0

    async def transcribe(self, pcm: bytes, *, is_final: bool, prompt: str = "") -> Heard:  # noqa: ARG002 - the protocol's names
        if self.turns > 0:
            return Heard("")
        self.turns += is_final
        return Heard(QUESTION if is_final or len(pcm) > BYTES_PER_MS * 1_500 else "How much")


@pytest.fixture(scope="module")
def coughs() -> Coughs:
    return Coughs()


@pytest.fixture(scope="module")
def ears(coughs: Coughs) -> Ears:
    return LocalEars(coughs)


def answers(talker: Talker) -> Locator:
    return talker.said.locator(".cto .talk-words")


def heard_of(words: Locator) -> tuple[str, str]:
    """What of a caption was heard, and what not."""
    unspoken = words.locator(".talk-unspoken").inner_text()
    whole = re.sub(r"\s*\(interrupted\).*$", "", words.inner_text(), flags=re.DOTALL)
    return whole.removesuffix(unspoken.rstrip()).strip(), unspoken.strip()


def interrupted(talker: Talker) -> Locator:
    """A conversation with an answer that was stopped in the middle by hand."""
    talker.open(isPushToTalk=True).begin()
    talker.ask(QUESTION)
    talker.reaches("Speaking")
    expect(answers(talker)).to_contain_text(re.compile(r"the cost was .*\.$"))
    talker.page.wait_for_timeout(1_200)  # of the answer is heard
    talker.page.keyboard.press("Escape")
    talker.reaches("Ready")
    return talker.said.get_by_role("button", name="Go on")


def test_it_goes_on_from_the_word_that_was_heard_last(talker: Talker) -> None:
    go_on = interrupted(talker)
    expect(go_on).to_have_count(1)
    spoken, unspoken = heard_of(answers(talker).first)
    assert spoken
    assert unspoken
    go_on.click()
    talker.reaches("Speaking")
    expect(go_on).to_have_count(0)
    expect(answers(talker).nth(1)).to_have_text(unspoken)
    talker.reaches("Ready")
    talker.hang_up()
    assert talker.count("response.create") == 3, "the question, the tool's result, the rest"
    said = [item["text"].strip() for item in talker.recorded()["transcript"] if item["role"] == "assistant"]
    assert " ".join(said) == f"{spoken} {unspoken}", "the record has what was heard, and no word twice"


def test_who_says_something_else_is_not_offered_the_old_answer(talker: Talker) -> None:
    go_on = interrupted(talker)
    expect(go_on).to_have_count(1)
    talker.ask(MODELS)
    expect(go_on).to_have_count(0)
    expect(talker.said).to_contain_text(MODELS_ANSWER)
    talker.hang_up()


def test_after_a_noise_it_goes_on_by_itself_for_who_wants_that(talker: Talker, coughs: Coughs) -> None:
    coughs.turns = 0
    talker.open(isGoingOn=True).begin()
    talker.until("sent.some((one) => one.type === 'conversation.item.truncate')", 60)
    talker.press("Mute")
    heard_nothing = "got.some((one) => one.type.endsWith('transcription.completed') && one.transcript === '')"
    talker.until(heard_nothing, 30)
    spoken, unspoken = heard_of(answers(talker).first)
    assert spoken
    expect(answers(talker).last).to_have_text(unspoken)
    talker.reaches("Muted")
    talker.hang_up()
