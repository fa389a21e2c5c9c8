"""What may go wrong at the page while somebody talks, and what hanging up, muting and holding back mean: each ends in a state with
a name, says so in words, and leaves no microphone open.
"""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from dashboard.talking import (
    ELSEWHERE,
    HEARING_MS,
    MODELS,
    MODELS_ANSWER,
    QUESTION,
    QUIET,
    RELEASED_MS,
    Stage,
    Talker,
    visit,
)


def test_a_microphone_that_is_refused_leaves_the_conversation_in_writing(browser: Browser, the_stage: Stage) -> None:
    the_stage.heal()
    with visit(browser, the_stage, may_hear=False) as talker:
        talker.open(**QUIET).start()
        expect(talker.trouble).to_contain_text("The browser was not allowed to use the microphone.")
        expect(talker.trouble).to_contain_text("Allow it in the address bar")
        talker.reaches("Text only")
        talker.answered()
        talker.hang_up()
        assert talker.tracks == 0


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("NotFoundError", "There is no microphone. Connect one and try again, or write."),
        ("NotReadableError", "Another program has the microphone. Close it there"),
    ],
)
def test_a_microphone_that_is_missing_or_busy_is_named_and_can_be_tried_again(
    talker: Talker, failure: str, words: str
) -> None:
    talker.page.evaluate("name => { window.__instead = async () => { throw new DOMException('', name) } }", failure)
    talker.start()
    expect(talker.trouble).to_contain_text(words)
    talker.reaches("Text only")
    assert talker.tracks == 0
    talker.page.evaluate("() => { window.__instead = null }")
    talker.press("Try the microphone again")
    talker.reaches("Ready")
    expect(talker.trouble).to_have_count(0)
    assert talker.live_tracks == 1
    talker.hang_up()
    assert talker.live_tracks == 0


def test_a_microphone_that_is_unplugged_is_let_go_and_the_talk_goes_on_in_writing(talker: Talker) -> None:
    talker.begin()
    # What a browser does with the track of a device that is gone.
    talker.page.evaluate(
        "() => { const [{ track }] = __probe.tracks; track.stop(); track.dispatchEvent(new Event('ended')) }"
    )
    expect(talker.trouble).to_contain_text("The microphone was unplugged. Connect it again, or choose another one.")
    talker.reaches("Text only")
    assert talker.live_tracks == 0
    talker.answered()
    talker.press("Try the microphone again")
    talker.reaches("Ready")
    assert (talker.tracks, talker.live_tracks) == (2, 1)
    talker.hang_up()
    assert talker.live_tracks == 0


def test_a_page_without_https_says_so_and_takes_writing(browser: Browser, the_stage: Stage) -> None:
    the_stage.heal()
    origin = the_stage.world.origin.replace("127.0.0.1", ELSEWHERE)
    with visit(browser, the_stage, origin=origin, may_hear=False) as talker:
        talker.open(**QUIET)
        way = talker.page.get_by_role("link", name="How to get HTTPS")
        expect(way).to_have_attribute("href", "/https")  # before anybody presses in vain
        talker.start()
        expect(talker.trouble).to_contain_text("Browsers give a microphone to pages over HTTPS only.")
        expect(talker.trouble.get_by_role("link", name="How to get HTTPS")).to_be_visible()
        talker.reaches("Text only")
        talker.answered()
        talker.hang_up()
        assert talker.tracks == 0
        way.first.click()
        expect(talker.page.get_by_role("heading", name="HTTPS on your network")).to_be_visible()
        expect(talker.page.get_by_role("heading", name="Three ways to get it")).to_be_visible()
        expect(talker.page.get_by_text("--tls self-signed").first).to_be_visible()
        there = origin.replace("http://", "https://")
        expect(talker.page.get_by_role("link", name=there)).to_have_attribute("href", f"{there}/https")


def test_hanging_up_while_the_browser_still_asks_leaves_no_microphone_open(talker: Talker) -> None:
    talker.page.evaluate("() => { window.__before = () => new Promise((resolve) => (window.__allow = resolve)) }")
    talker.start()
    talker.reaches("Starting")
    talker.hang_up()
    talker.page.evaluate("() => window.__allow()")
    talker.until("tracks.length === 1")
    talker.until("live() === 0")


def test_sound_parts_that_do_not_load_leave_no_microphone_open(talker: Talker) -> None:
    talker.page.evaluate(
        "() => { AudioWorklet.prototype.addModule = async () => { throw new DOMException('', 'AbortError') } }"
    )
    talker.start()
    expect(talker.trouble).to_contain_text("The page could not load its sound parts. Reload the page.")
    talker.reaches("Text only")
    assert talker.live_tracks == 0
    talker.answered()
    talker.hang_up()


def hide(talker: Talker, is_hidden: bool) -> None:
    talker.page.evaluate(
        """isHidden => {
          Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (isHidden ? "hidden" : "visible") });
          document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
        }""",
        is_hidden,
    )


def test_a_phone_that_is_put_away_pauses_and_goes_on_where_it_was(browser: Browser, the_stage: Stage) -> None:
    the_stage.heal()
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with visit(browser, the_stage, **phone) as talker:
        talker.open(**QUIET).begin()
        talker.answered()
        hide(talker, True)
        talker.reaches("Paused")
        assert talker.released_ms_after("visibilitychange") <= RELEASED_MS
        talker.is_left_alone()
        assert the_stage.wire.open == 0
        hide(talker, False)
        talker.press("Go on")
        talker.reaches("Ready")
        expect(talker.said).to_contain_text("Resumed, continuing")
        expect(talker.said).to_contain_text(MODELS_ANSWER)
        assert talker.live_tracks == 1
        assert talker.count("response.create") == 2, "nothing is asked for by going on"
        talker.hang_up()
        assert talker.live_tracks == 0


def test_a_desk_that_looks_elsewhere_talks_on(talker: Talker) -> None:
    talker.begin()
    hide(talker, True)
    talker.answered()
    assert talker.live_tracks == 1
    hide(talker, False)
    talker.hang_up()
    assert talker.live_tracks == 0


def test_a_session_near_its_limit_is_renewed_in_a_quiet_moment(talker: Talker) -> None:
    talker.begin()
    talker.answered()
    opened = talker.stage.wire.opened
    talker.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 51 * 60_000 }")
    expect(talker.said).to_contain_text("Renewed, continuing")
    talker.reaches("Ready")
    talker.answered(2)
    assert talker.stage.wire.opened - opened == 1, "and not again and again"
    assert (talker.tracks, talker.live_tracks) == (1, 1), "the microphone is not asked for again"
    talker.hang_up()
    assert talker.live_tracks == 0


def test_a_page_whose_clock_is_wrong_renews_nothing_again_and_again(talker: Talker) -> None:
    talker.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 3 * 3_600_000 }")
    opened = talker.stage.wire.opened
    talker.begin()
    talker.answered()
    talker.is_left_alone(1_000)
    assert talker.stage.wire.opened - opened == 1
    talker.hang_up()


def test_a_session_that_reaches_its_limit_in_an_answer_goes_on_by_itself(talker: Talker) -> None:
    talker.stage.shorten()
    talker.begin()
    talker.stage.fail("stall", value=30)
    talker.ask(MODELS)
    expect(talker.said).to_contain_text("Reconnected, continuing", timeout=15_000)
    assert [one["code"] for one in talker.got("error")] == ["session_expired"]
    talker.stage.heal()
    expect(talker.page.locator(".talk-caption.cto").last).to_contain_text("gpt-realtime")
    talker.hang_up()
    assert talker.live_tracks == 0


def test_a_second_tab_says_where_the_talk_is_and_can_take_it_over(talker: Talker) -> None:
    talker.begin()
    other = Talker(talker.page.context.new_page(), talker.stage, talker.watch)
    try:
        other.open(**QUIET).start()
        expect(other.trouble).to_contain_text("A conversation is open in another tab. Go on there, or take it over.")
        assert other.tracks == 0
        other.reaches("Ready")
        assert talker.live_tracks == 1
        other.press("Take it over here")
        other.reaches("Ready")
        other.until("live() === 1")
        talker.reaches("Ended")
        assert talker.live_tracks == 0
        talker.is_left_alone()
        other.hang_up()
        assert other.live_tracks == 0
    finally:
        other.page.close()


def used(talker: Talker) -> tuple[int, int]:
    """Answers that were asked for, and tokens that they used, by the page's own log of the wire."""
    done = [one for one in talker.got("response.done") if one["usage"]]
    return talker.count("response.create"), sum(one["usage"]["total_tokens"] for one in done)


def test_hanging_up_in_an_answer_asks_for_nothing_more(talker: Talker) -> None:
    talker.open(isPushToTalk=True)
    talker.begin()
    talker.ask(QUESTION)
    talker.reaches("Speaking")
    talker.press("Hang up")
    talker.reaches("Ended")
    assert talker.released_ms_after("click") <= RELEASED_MS
    before = used(talker)
    books = talker.stage.usage()
    talker.is_left_alone()
    assert used(talker) == before
    assert talker.stage.usage() == books
    assert talker.sent("response.create")[-1]["at"] < talker.page.evaluate(
        "window.__probe.marks.filter((one) => one.type === 'click').at(-1).at"
    )


def test_push_to_talk_hears_while_the_key_is_down_and_only_then(talker: Talker) -> None:
    talker.open(isPushToTalk=True, isSpoken=False).begin()
    talker.is_left_alone()
    talker.page.locator("h1").click()
    talker.page.keyboard.down("Space")
    talker.reaches("You")
    sound = "sent.filter((one) => one.type === 'input_audio_buffer.append')"
    talker.until(f"{sound}.filter((one) => !one.isSilent).length >= 30")  # the question began
    talker.until(f"{sound}.slice(-8).every((one) => one.isSilent)")  # and ended
    talker.page.keyboard.up("Space")
    expect(talker.said).to_contain_text(re.compile("last week", re.IGNORECASE), timeout=HEARING_MS)
    expect(talker.said.locator(".cto").last).to_contain_text(".", timeout=HEARING_MS)
    talker.reaches("Ready")
    assert [one["type"] for one in talker.probe("sent") if "commit" in one["type"]] == ["input_audio_buffer.commit"]
    talker.is_left_alone()
    talker.hang_up()
    assert talker.live_tracks == 0


def test_mute_only_mutes(talker: Talker) -> None:
    talker.open(isSpoken=False).begin()
    talker.page.keyboard.press("m")
    talker.reaches("Muted")
    talker.page.evaluate("() => { window.__probe.mutedAt = performance.now() }")
    talker.page.wait_for_timeout(4_500)  # the question is spoken meanwhile, and nobody hears it
    after = talker.page.evaluate(
        "() => window.__probe.sent.filter((one) => one.type === 'input_audio_buffer.append' && one.at > window.__probe.mutedAt + 100)"
    )
    assert len(after) > 50, "the server's clock goes on"
    assert all(one["isSilent"] for one in after)
    assert talker.count("response.create") == 0
    assert talker.count("response.created", "got") == 0
    assert talker.count("input_audio_buffer.speech_started", "got") == 0
    assert talker.live_tracks == 1, "muting is not hanging up"
    talker.page.keyboard.press("m")
    talker.reaches("You")
    talker.hang_up()
    assert talker.live_tracks == 0
