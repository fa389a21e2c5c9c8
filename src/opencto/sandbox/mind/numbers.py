"""Numbers as people say and write them."""

import re
from dataclasses import dataclass
from typing import Final

from opencto.sandbox.speech.words import ONES, TENS

UNITS: Final = {word: value for value, word in enumerate(ONES)}
_TENS: Final = {word: 10 * value for value, word in enumerate(TENS) if value > 1}
_SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_ORDINAL_UNITS: Final = {
    word: value
    for value, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
            "thirteenth",
            "fourteenth",
            "fifteenth",
            "sixteenth",
            "seventeenth",
            "eighteenth",
            "nineteenth",
        ],
        1,
    )
}
ORDINALS: Final = {
    **_ORDINAL_UNITS,
    "twentieth": 20,
    "thirtieth": 30,
    **{f"twenty{dash}{word}": 20 + value for dash in " -" for word, value in _ORDINAL_UNITS.items() if value < 10},
    **{f"thirty{dash}first": 31 for dash in " -"},
}
_A_FEW: Final = {"a couple of": 2, "couple of": 2, "half a dozen": 6, "a dozen": 12, "dozen": 12}

_WORD = "|".join(sorted([*UNITS, *_TENS, *_SCALES], key=len, reverse=True))
_SPELLED = rf"(?:(?:a )?(?:hundred|thousand|million)|(?:{_WORD}))(?:(?:[\s-]+(?:and )?)(?:{_WORD}))*"
NUMBER = rf"(?:\d[\d,]*(?:\.\d+)?|{_SPELLED})"
"""For use inside of other patterns; case does not count."""
COUNT = rf"(?:{NUMBER}|{'|'.join(_A_FEW)})"
"""The same with "a couple of"."""
_FOUND = re.compile(
    rf"(?<![\w.#/-])(?:(?P<digits>[-−]?\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|[-−]?\d{{1,15}}(?:\.\d+)?)(?P<scale>k|m)?(?![\w/]|\.\d|-\d)"
    rf"|(?P<few>{'|'.join(_A_FEW)})\b|(?P<words>{_SPELLED})\b)",
    re.IGNORECASE,
)
_HALF = re.compile(r"\s+and\s+a\s+half\b", re.IGNORECASE)
_VAGUE = re.compile(r"one\b(?!\s+(?:hundred|thousand|million|day|week|hour|minute|month|percent))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    start: int
    end: int

    @property
    def is_whole(self) -> bool:
        return self.value == int(self.value)


def find(text: str) -> list[Number]:
    """The numbers of a text in their order. A lone "one" is no number: it stands for a thing ("the first one")."""
    found: list[Number] = []
    for match in _FOUND.finditer(text):
        if match["digits"]:
            scale = {"k": 1_000, "m": 1_000_000}.get((match["scale"] or "").lower(), 1)
            value = float(match["digits"].replace(",", "").replace("−", "-")) * scale
        elif match["few"]:
            value = _A_FEW[match["few"].lower()]
        else:
            if _VAGUE.fullmatch(match["words"]) and _VAGUE.match(text, match.start()):
                continue
            value = spelled(match["words"])
        half = _HALF.match(text, match.end())
        found.append(
            Number(value + 0.5, match.start(), half.end()) if half else Number(value, match.start(), match.end())
        )
    return found


def value_of(written: str) -> float:
    """Of something that COUNT matched, in small letters."""
    if written in _A_FEW:
        return _A_FEW[written]
    if written[0].isdigit():
        return float(written.replace(",", ""))
    return spelled(written)


def spelled(words: str) -> float:
    """ "two hundred and five" is 205."""
    total = current = 0
    for word in re.split(r"[\s-]+", words.lower().strip()):
        if word in UNITS:
            current += UNITS[word]
        elif word in _TENS:
            current += _TENS[word]
        elif word == "hundred":
            current = max(1, current) * 100
        elif word in _SCALES:
            total += max(1, current) * _SCALES[word]
            current = 0
        elif word == "a":
            current = 1 if current == 0 else current
    # "a hundred" began with a 1 that `hundred` has already used up
    return float(total + current)
