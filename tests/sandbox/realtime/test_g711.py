import numpy as np
import pytest

from opencto.sandbox.realtime.g711 import Decoder, Encoder, Law

LAWS: tuple[Law, ...] = ("audio/pcmu", "audio/pcma")


def tone(hertz: int, ms: int) -> bytes:
    moments = np.arange(ms * 24) / 24_000
    return (8_000 * np.sin(2 * np.pi * hertz * moments)).astype("<i2").tobytes()


def loudness(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    return float(np.sqrt(np.mean(samples**2)))


@pytest.mark.parametrize("law", LAWS)
def test_a_voice_comes_back_and_what_a_telephone_cannot_carry_does_not(law: Law) -> None:
    for hertz, least, most in ((300, 5_300, 5_900), (2_000, 5_300, 5_900), (6_000, 0, 300)):
        back = Decoder(law)(Encoder(law)(tone(hertz, 500)))
        assert least <= loudness(back[4_800:]) <= most, hertz


@pytest.mark.parametrize("law", LAWS)
def test_pieces_are_the_same_as_the_whole_and_no_sample_is_lost(law: Law) -> None:
    sound = tone(700, 200)
    whole = Encoder(law)(sound)
    encode, decode = Encoder(law), Decoder(law)
    pieces = b"".join(encode(sound[begin : begin + 998]) for begin in range(0, len(sound), 998))
    assert pieces == whole
    assert len(whole) == 200 * 8
    back = b"".join(decode(whole[begin : begin + 7]) for begin in range(0, len(whole), 7))
    assert back == Decoder(law)(whole)
    assert len(back) == len(sound)


@pytest.mark.parametrize(
    ("law", "code", "sample"),
    [
        ("audio/pcmu", 0xFF, 0),
        ("audio/pcmu", 0x00, -32_124),
        ("audio/pcmu", 0x80, 32_124),
        ("audio/pcmu", 0xF0, 120),
        ("audio/pcma", 0xD5, 8),
        ("audio/pcma", 0x2A, -32_256),
        ("audio/pcma", 0xAA, 32_256),
        ("audio/pcma", 0x55, -8),
    ],
)
def test_codes_are_those_of_the_standard(law: Law, code: int, sample: int) -> None:
    steady = Decoder(law)(bytes([code]) * 100)
    assert abs(np.frombuffer(steady, dtype="<i2")[150:].mean() - sample) <= max(40, abs(sample) * 0.01)
