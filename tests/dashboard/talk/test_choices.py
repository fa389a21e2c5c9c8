"""What a person may choose for the sound, what is kept of a talk over the end of its page, and the report of a fault."""

import json
from pathlib import Path

from playwright.sync_api import Error, expect

from dashboard.talking import MODELS, MODELS_ANSWER, Talker

RECORDS = "**/api/v1/realtime/sessions/*/events"
UNSENT = "localStorage.getItem('opencto.talk.unsent')"


def choose(talker: Talker, name: str) -> None:
    talker.press("Sound")
    talker.page.get_by_role("menuitemcheckbox", name=name, exact=True).click()
    talker.page.keyboard.press("Escape")
    expect(talker.page.get_by_role("menu")).to_have_count(0)


def nothing_is_kept(talker: Talker) -> None:
    """Until it is so; the page may be another one meanwhile, and asked in the moment at which it is left."""
    found = None
    for _ in range(300):
        try:
            found = talker.page.evaluate(UNSENT)
        except Error as error:
            if "because of a navigation" not in error.message:
                raise
        else:
            if found is None:
                return
        talker.page.wait_for_timeout(50)
    raise AssertionError(found)


def test_another_loudspeaker_plays_in_the_middle_and_the_next_time_too(talker: Talker) -> None:
    talker.open(isPushToTalk=True).begin()
    talker.press("Sound")
    menu = talker.page.get_by_role("menu")
    expect(menu).to_contain_text("Loudspeaker")
    name = "Fake Audio Output 2"
    menu.get_by_role("menuitemcheckbox", name=name).click()
    talker.until("sinks?.length === 1")
    kept = json.loads(talker.page.evaluate("localStorage.getItem('opencto.talk')"))
    assert kept["outputId"] == talker.probe("sinks[0]") != ""
    expect(talker.trouble).to_have_count(0)
    talker.ask("Hello")
    talker.reaches("Speaking")
    talker.reaches("Ready")
    assert talker.probe("tones") is None, "no tones unless they are wanted"
    talker.hang_up()
    talker.page.goto("/talk")
    talker.begin()
    assert talker.probe("sinks") == [kept["outputId"]], "the next conversation plays there from its first sound"
    talker.hang_up()


def test_every_choice_is_reached_on_a_low_screen(talker: Talker) -> None:
    talker.open(isPushToTalk=True, isSpoken=False).begin()
    usual = talker.page.viewport_size
    assert usual
    talker.page.set_viewport_size({"width": 390, "height": 560})
    choose(talker, "verse")
    talker.page.set_viewport_size(usual)
    talker.hang_up()
    assert json.loads(talker.page.evaluate("localStorage.getItem('opencto.talk')"))["voice"] == "verse"


def test_a_loudspeaker_that_is_gone_is_said_and_the_browsers_choice_plays(talker: Talker) -> None:
    talker.open(isPushToTalk=True, outputId="unplugged since yesterday").begin()
    talker.ask("Hello")
    talker.reaches("Speaking")
    talker.press("Sound")
    chosen = talker.page.get_by_role("menu").get_by_role("menuitemcheckbox", checked=True)
    assert chosen.filter(has_text="The browser’s choice").count() == 2, "of the microphone and of the loudspeaker"
    assert chosen.filter(has_text="Fake").count() == 0
    talker.page.keyboard.press("Escape")
    talker.hang_up()


def test_tones_say_who_was_heard_and_whose_turn_it_is_for_who_wants_them(talker: Talker) -> None:
    talker.open(isPushToTalk=True).begin()
    choose(talker, "A tone when you were heard")
    talker.page.evaluate("document.activeElement.blur()")  # the key is not the button's
    talker.page.keyboard.down(" ")
    talker.reaches("You")
    talker.page.wait_for_timeout(400)  # held
    talker.page.keyboard.up(" ")
    talker.until("tones?.length === 1")
    talker.until("tones?.length === 2", 40)
    talker.hang_up()


def test_the_report_of_a_fault_has_times_and_codes_and_no_word(talker: Talker, tmp_path: Path) -> None:
    talker.open(isPushToTalk=True, isSpoken=False).begin()
    talker.answered()
    talker.hang_up()
    talker.press("Sound")
    with talker.page.expect_download() as download:
        talker.page.get_by_role("menuitem", name="Save a report without words").click()
    assert download.value.suggested_filename.startswith("opencto-conversation-rs_")
    download.value.save_as(tmp_path / "report.json")
    text = (tmp_path / "report.json").read_text("utf-8")
    report = json.loads(text)
    assert [one["phase"] for one in report["phases"]][-2:] == ["ending", "ended"]
    assert report["latency"]["connect"]["measurements"] == 1
    calls = [one for one in report["items"] if one["kind"] == "call"]
    assert [(one["tool"], one["state"]) for one in calls] == [("list_openai_models", "done")]
    assert sum(one["characters"] for one in report["items"]) > len(MODELS + MODELS_ANSWER)
    for secret in (MODELS, MODELS_ANSWER, "realtime models", "gpt-realtime-2.1-mini", "ek_", "sk-", "Ada"):
        assert secret not in text, secret


def test_what_the_server_could_not_take_is_sent_by_the_next_page(talker: Talker) -> None:
    talker.open(isPushToTalk=True, isSpoken=False)
    talker.page.route(RECORDS, lambda route: route.fulfill(status=503))
    talker.begin()
    talker.answered()
    before = talker.recorded()
    assert before["transcript"] == []
    talker.page.goto("/health")
    assert MODELS in talker.page.evaluate(UNSENT)
    talker.page.unroute(RECORDS)
    talker.page.goto("/talk")
    nothing_is_kept(talker)
    after = talker.recorded()
    assert after["id"] == before["id"]
    assert next(item["role"] for item in after["transcript"] if item["text"]) == "user"
    assert MODELS_ANSWER in " ".join(item["text"] for item in after["transcript"])


def test_nothing_of_it_stays_in_the_browser_of_who_signs_out(talker: Talker) -> None:
    talker.open(isPushToTalk=True, isSpoken=False)
    kept = {"workspaceId": "another", "sessionId": "rs_1", "events": [{"text": MODELS}]}
    talker.page.evaluate("kept => localStorage.setItem('opencto.talk.unsent', JSON.stringify([kept]))", kept)
    leaving = "**/api/v1/auth/logout"  # the session is that of every test here
    talker.page.route(leaving, lambda route: route.fulfill(json={"ok": True}))
    talker.page.get_by_role("button", name="Account").click()
    talker.page.get_by_role("menuitem", name="Sign out").click()
    nothing_is_kept(talker)
    talker.page.unroute(leaving)
