"""The small parts: the state machine, the sequence of answers, clocks, measurements."""

from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencto.client.realtime import events
from opencto.client.realtime.clock import SampleLedger, Tape
from opencto.client.realtime.listening import Listening, listening_of
from opencto.client.realtime.machine import OVER, Machine, Phase, State, may_follow
from opencto.client.realtime.metrics import Loudness, Measured, Metrics
from opencto.client.realtime.responses import Sequencer


def test_what_is_over_stays_over_and_anything_else_may_end_or_fail() -> None:
    for before, then in product(get_args(Phase), repeat=2):
        if before in OVER:
            assert not may_follow(before, then)
        elif then == "failed":
            assert may_follow(before, then)
    assert may_follow("live", "ending")
    assert not may_follow("ending", "ending")
    assert not may_follow("idle", "live")


def test_each_change_is_told_once_and_connections_are_counted() -> None:
    told: list[State] = []
    machine = Machine(told.append)
    for phase in ("connecting", "configuring", "live", "reconnecting", "connecting"):
        machine.to(phase)
    machine.listen("muted")
    machine.listen("muted")
    assert machine.state.epoch == 2
    assert len(told) == 6
    with pytest.raises(RuntimeError, match="live cannot follow connecting"):
        machine.to("live")


class Asked:
    def __init__(self) -> None:
        self.count = 0
        self.hows: list[Any] = []
        self.sequencer = Sequencer(self.ask)
        self.sequencer.open()

    def ask(self, how: Any) -> None:
        self.hows.append(how)
        self.count += 1


def test_a_wish_waits_for_the_answer_that_runs() -> None:
    one = Asked()
    one.sequencer.started("resp_1")
    one.sequencer.wish({"item_1"})
    assert one.count == 0
    one.sequencer.confirmed("item_1")
    one.sequencer.ended("resp_1")
    assert one.count == 1


def test_an_answer_that_knew_the_items_fulfils_the_wish() -> None:
    one = Asked()
    one.sequencer.started("resp_1")
    one.sequencer.wish({"item_1"})
    one.sequencer.confirmed("item_1")
    one.sequencer.ended("resp_0")
    one.sequencer.started("resp_2")
    one.sequencer.ended("resp_1")
    one.sequencer.ended("resp_2")
    assert one.count == 0


def test_an_answer_that_did_not_know_them_does_not() -> None:
    one = Asked()
    one.sequencer.started("resp_1")
    one.sequencer.wish({"item_1"})
    one.sequencer.started("resp_2")
    one.sequencer.confirmed("item_1")
    one.sequencer.ended("resp_1")
    one.sequencer.ended("resp_2")
    assert one.count == 1


def test_a_refusal_because_another_runs_is_asked_again_when_that_has_ended() -> None:
    one = Asked()
    one.sequencer.wish()
    assert one.count == 1
    assert not one.sequencer.refused("something_else")
    assert one.sequencer.refused("conversation_already_has_active_response")
    assert one.count == 1
    assert one.sequencer.is_busy
    one.sequencer.ended("resp_of_another")
    assert one.count == 2


def test_an_answer_is_asked_for_as_it_was_wished_and_the_later_wish_says() -> None:
    one = Asked()
    one.sequencer.started("resp_1")
    one.sequencer.wish(how={"type": "of another kind"})
    one.sequencer.ended("resp_1")
    assert one.sequencer.refused("conversation_already_has_active_response")
    one.sequencer.ended("resp_of_another")
    one.sequencer.started("resp_2")
    one.sequencer.wish(how={"type": "of another kind"})
    one.sequencer.wish()
    one.sequencer.ended("resp_2")
    assert one.hows == [{"type": "of another kind"}, {"type": "of another kind"}, None]


def test_without_a_connection_nothing_is_asked_and_nothing_is_left_over() -> None:
    one = Asked()
    one.sequencer.started("resp_1")
    one.sequencer.wish()
    one.sequencer.close()
    one.sequencer.wish()
    one.sequencer.open()
    assert (one.count, one.sequencer.is_busy) == (0, False)
    one.sequencer.wish()
    one.sequencer.forget()
    assert one.count == 1


@settings(deadline=None, max_examples=50)
@given(
    steps=st.lists(st.sampled_from(["wish", "started", "ended", "refused", "confirmed", "close", "open"]), max_size=40)
)
def test_never_two_at_a_time_whatever_comes(steps: list[str]) -> None:
    asked: list[bool] = []
    sequencer: Sequencer = Sequencer(lambda _: asked.append(sequencer.running == frozenset()))
    sequencer.open()
    for number, step in enumerate(steps):
        match step:
            case "wish":
                sequencer.wish({f"item_{number}"})
            case "started":
                sequencer.started(f"resp_{number}")
            case "ended":
                sequencer.ended(next(iter(sequencer.running), "resp_x"))
            case "refused":
                sequencer.refused("conversation_already_has_active_response")
            case "confirmed":
                sequencer.confirmed(f"item_{number - 1}")
            case "close":
                sequencer.close()
            case _:
                sequencer.open()
    assert all(asked)


def test_the_ledger_leads_from_the_servers_clock_to_ours() -> None:
    ledger = SampleLedger()
    assert ledger.time_of(0) is None
    ledger.sent(40, captured_ms=540, at=10.0)
    ledger.sent(40, captured_ms=1580, at=11.0)
    assert ledger.time_of(20) == pytest.approx(9.98)
    assert ledger.time_of(80) == pytest.approx(11.0)
    assert ledger.captured_ms_of(60) == pytest.approx(1560)
    assert ledger.time_of(81) is None


@settings(deadline=None, max_examples=50)
@given(pieces=st.lists(st.integers(1, 50), max_size=30), start=st.integers(0, 1000), length=st.integers(0, 1000))
def test_the_tape_gives_what_was_captured(pieces: list[int], start: int, length: int) -> None:
    tape, whole = Tape(seconds=0.3), b""
    for number, milliseconds in enumerate(pieces):
        pcm = bytes([number % 250, 1]) * 24 * milliseconds
        tape.add(pcm)
        whole += pcm
    assert tape.end_ms == len(whole) / 48
    cut = tape.cut(start, start + length)
    wanted = whole[start * 48 : (start + length) * 48]
    assert wanted.endswith(cut)
    if len(whole) <= 300 * 48:
        assert cut == wanted


def test_how_the_server_listens_is_read_from_its_session() -> None:
    def told(detection: Any) -> Listening:
        return listening_of({"audio": {"input": {"turn_detection": detection}}})

    assert told(None) == listening_of({}) == Listening()
    assert told({"type": "server_vad", "silence_duration_ms": 200}) == Listening(
        is_detecting=True, is_interrupting=True, is_answering=True, silence_ms=200
    )
    assert told({"type": "semantic_vad", "interrupt_response": False, "create_response": False}) == Listening(
        is_detecting=True
    )


def test_times_are_measured_by_their_definitions() -> None:
    told: list[Measured] = []
    metrics = Metrics(told.append)
    metrics.speech_ended(1.0, 1.5)
    metrics.on(events.ResponseStarted(response_id="r", is_aside=False), 1.6)
    metrics.tool_began(1.7, None)
    metrics.on(events.SoundDelta(response_id="r", item_id="a", index=0, pcm=b"\0\0"), 2.0)
    metrics.on(events.SoundDelta(response_id="r", item_id="a", index=0, pcm=b"\0\0"), 2.1)
    metrics.sounded("r", 2.2)
    metrics.sounded("r", 2.3)
    metrics.sounded("unknown", 2.3)
    assert {one.metric: one.milliseconds for one in told} == {
        "eot_delay": 500,
        "ttfa_model": 400,
        "tool_dead_air": 500,
        "render_delay": 200,
        "eos_to_first_sound": 1200,
    }
    for value in range(1, 101):
        metrics.record("tool_wall", value / 1000)
    assert metrics.summary()["tool_wall"] == {"measurements": 100, "p50": 50, "p95": 96, "max": 100}


def test_the_end_of_speech_is_found_by_ear_over_the_noise_of_the_room() -> None:
    ear = Loudness()
    for number in range(50):
        ear.frame(60.0, number / 50)
    assert ear.last_loud_at is None
    ear.frame(3000.0, 2.0)
    for number in range(50):
        ear.frame(70.0, 2.1 + number / 50)
    assert ear.last_loud_at == 2.0
