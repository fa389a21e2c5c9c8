"""What a name is in a sentence: where it begins, how far it goes, and which words are none."""

import re

from opencto.sandbox.mind.sentence import Sentence, Span
from opencto.sandbox.mind.words import STOP, Word, stem

_BREAK = frozenset(
    [
        "for",
        "in",
        "on",
        "at",
        "to",
        "from",
        "by",
        "with",
        "about",
        "since",
        "until",
        "till",
        "that",
        "please",
        "within",
        "over",
        "during",
        "and",
        "or",
        "as",
        "into",
        "via",
        "because",
        "if",
        "when",
        "while",
        "who",
        "which",
        "of",
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "will",
        "right",
        "now",
        "today",
        "again",
        "instead",
        "still",
        "ever",
        "go",
        "going",
        "be",
        "been",
        "work",
        "working",
        "behave",
        "doing",
        "down",
        "up",
        "using",
        "after",
        "before",
        "between",
        "per",
        "without",
        "like",
        "yet",
        "currently",
        "back",
        "one",
        "ones",
    ]
)
ASKS = frozenset(
    [
        "what",
        "who",
        "where",
        "when",
        "why",
        "how",
        "which",
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
        "did",
        "can",
        "could",
        "will",
        "would",
        "should",
        "show",
        "give",
        "tell",
        "call",
        "list",
        "find",
        "search",
        "get",
        "fetch",
        "look",
        "check",
        "open",
        "close",
        "create",
        "make",
        "add",
        "remove",
        "delete",
        "send",
        "book",
        "schedule",
        "set",
        "turn",
        "switch",
        "start",
        "stop",
        "run",
        "roll",
        "restart",
        "deploy",
        "remind",
        "remember",
        "forget",
        "convert",
        "translate",
        "compare",
        "assign",
        "update",
        "change",
        "move",
        "cancel",
        "pay",
        "order",
        "buy",
        "i",
        "we",
    ]
)
"""How a request begins that is one by itself."""
STARTS = ASKS | {"any", "every", "all", "our", "the"}


def whole_token(sentence: Sentence, start: int, end: int) -> str:
    """With the hyphens, slashes and dots that belong to the words: `web-shop`, `acme/site`."""
    text = sentence.text
    while start > 0 and text[start - 1] in "-_/.@" and start > 1 and text[start - 2].isalnum():
        start -= 1
        while start > 0 and text[start - 1].isalnum():
            start -= 1
    while end < len(text) - 1 and text[end] in "-_/.@" and text[end + 1].isalnum():
        end += 1
        while end < len(text) and text[end].isalnum():
            end += 1
    return text[start:end]


def is_value(word: Word, sentence: Sentence, known: frozenset[str]) -> bool:
    return (
        word.low not in STOP
        and word.low not in _BREAK
        and sentence.is_free(word.start, word.end)
        and (
            stem(word.text) not in known or (word.is_capital and word.start > 0 and not word.text.rstrip("s").isupper())
        )
        and not any(word.start < one.to and one.at < word.end for one in sentence.periods)
        and not any(word.start < one.end and one.start < word.end for one in sentence.durations)
    )


def run_of(following: list[Word], sentence: Sentence, known: frozenset[str], *, is_phrase: bool = False) -> list[Word]:
    """The words of one name: capitals go together, and small words after "the" as well (`is_phrase`)."""
    run = [following[0]]
    for word in following[1:]:
        gap = sentence.text[run[-1].end : word.start]
        if gap in {"-", "/", "_", ".", "'"}:
            run.append(word)
            continue
        both = (
            run[-1].is_capital and word.is_capital and word.low not in _BREAK and sentence.is_free(word.start, word.end)
        )
        if gap != " " or not (both or (is_phrase and len(run) < 4 and is_value(word, sentence, known))):
            break
        run.append(word)
    return run


def ends_here(word: Word, sentence: Sentence) -> bool:
    rest = sentence.text[word.end :]
    following = re.match(r"\s+(\w+)", rest)
    return following is None or following[1].lower() in _BREAK or not sentence.is_free(word.end + 1, word.end + 2)


def capitals(sentence: Sentence, known: frozenset[str]) -> list[Span]:
    """Names by their capitals; the first word of the sentence only when it is none that a sentence begins with."""
    found: list[Span] = []
    index = 0
    while index < len(sentence.words):
        word = sentence.words[index]
        if (
            word.is_capital
            and is_value(word, sentence, known)
            and (index > 0 or (word.low not in STARTS and stem(word.text) not in known))
        ):
            run = run_of(sentence.words[index : index + 5], sentence, known)
            text = re.sub(r"['’]s$", "", sentence.text[run[0].start : run[-1].end])
            found.append(Span(text, run[0].start, run[-1].end))
            index += len(run)
        else:
            index += 1
    return found
