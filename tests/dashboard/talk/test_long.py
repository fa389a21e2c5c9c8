"""A conversation that is longer than what a new line is told."""

from playwright.sync_api import expect

from dashboard.talking import Talker

TURNS, LENGTH = 5, 7_000
KEPT = 24_000
"""Characters that a new line is told."""


def test_a_new_line_is_told_the_last_turns_and_notes_on_those_before(talker: Talker) -> None:
    talker.begin()
    for number in range(TURNS):
        talker.ask(f"Order number {number}. ".ljust(LENGTH, "x"))
        expect(talker.said.locator(".cto.completed")).to_have_count(number + 1)
        if number in {1, 3}:
            asides = f"got.filter((one) => one.type === 'response.done' && one.isAside).length === {(number + 1) // 2}"
            talker.until(asides)
    before = talker.probe("sent.length")
    talker.stage.wire.cut()
    talker.until("got.filter((one) => one.type === 'session.updated').length === 2")
    talker.reaches("Ready")
    told = [one for one in talker.probe(f"sent.slice({before})") if one["type"] == "conversation.item.create"]
    assert [one["role"] for one in told[:2]] == ["system", "assistant"]
    assert "your notes on them stand first" in told[0]["text"]
    assert told[1]["text"].startswith("Notes on the earlier turns: Notes of OpenCTO's local sandbox")
    assert "Order number 0." in told[1]["text"]
    turns = [one["text"] for one in told[2:]]
    assert sum(map(len, turns)) <= KEPT
    assert not any("Order number 0." in text for text in turns), "it is in the notes alone"
    assert any(f"Order number {TURNS - 1}." in text for text in turns)
    assert "Notes" not in talker.said.inner_text(), "nobody reads what it notes for itself"
    talker.hang_up()
    usage = talker.recorded()["responses"]
    assert len(usage) == TURNS + 2, "what the notes cost is in the record"
