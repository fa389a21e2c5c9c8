"""Whether what was said so far sounds finished. Words alone: the recogniser puts a full stop after almost anything."""

import re

# Whisper leaves hesitations out unless it has seen some.
PROMPT = "Umm, let me think, hmm... Could you, um, open the, uh..."

_FILLERS = frozenset(
    {"ah", "eh", "er", "erm", "hm", "hmm", "like", "mm", "mmm", "uh", "uhh", "uhm", "um", "umm", "well"}
)
_CONJUNCTIONS = frozenset(
    {
        "and",
        "although",
        "as",
        "because",
        "but",
        "if",
        "nor",
        "or",
        "since",
        "than",
        "that's",
        "though",
        "unless",
        "until",
        "when",
        "whereas",
        "whether",
        "while",
    }
)
_PREPOSITIONS = frozenset(
    {
        "about",
        "against",
        "at",
        "between",
        "by",
        "during",
        "for",
        "from",
        "into",
        "of",
        "onto",
        "per",
        "to",
        "toward",
        "towards",
        "versus",
        "with",
        "without",
    }
)
_DETERMINERS = frozenset({"a", "an", "every", "my", "our", "the", "their", "your"})
_OPENERS = frozenset({"i'm", "it's", "let's", "please", "so", "we're", "what's", "where's", "who's"})
_RELATIVES = frozenset({"which", "who", "whom", "whose"})
"""They open a clause, unless they are all that is said."""
_WHOLE_WITH_ON = frozenset(
    {
        "are",
        "carry",
        "come",
        "go",
        "goes",
        "going",
        "hold",
        "is",
        "it",
        "later",
        "lights",
        "log",
        "move",
        "switched",
        "that",
        "them",
        "this",
        "turned",
        "was",
        "went",
    }
)
"""“Turn it on”, “what is going on” are whole; “what did we spend on” is not."""
_WAITS_AFTER = _FILLERS | _CONJUNCTIONS | _PREPOSITIONS | _DETERMINERS | _OPENERS

# A clause that has begun and has no end: a verb that needs an object, a question without its subject.
_OPEN_CLAUSE = re.compile(
    r"(?:^|\b(?:and|please|you|to|then|so)\s)"
    r"(?:show|tell|give|send|get|find|bring|ask)\s(?:me|us|him|her|them)$"
    r"|^(?:can|could|would|will|should|do|does|did|is|are|was|were)\s(?:you|we|i|it|they|there)$"
    r"|^(?:what|which|who|where|when|how|why)\s(?:is|are|was|were|do|does|did|much|many|about)$"
    r"|\b(?:i|we|you|they)\s(?:want|need|think|guess|mean|wanted|would|will|can|could|should|have)(?:\s(?:to|that|you))?$"
    r"|^(?:show|list|deploy|open|create|compare|explain|summari[sz]e|check|find)$"
    r"|\bhow\s(?:many|much|often|long|far)$"
)
# With its question word before it, the same verb ends a question: "which models do we have".
_WHOLE_QUESTION = re.compile(
    r"^(?:.*\s)?(?:what|which|who|whom|where|when|how|why)\b.*\s(?:do|does|did|can|could|should|would|will)\s"
    r"(?:i|we|you|they)\s(?:want|need|think|guess|mean|have)$"
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def is_finished(text: str) -> bool:
    """False while a listener would still wait for more. Nothing heard is not finished."""
    if text.rstrip().endswith(("...", "…", ",", "-", "–", "—", ":")):
        return False
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    if not words or words[-1] in _WAITS_AFTER:
        return False
    if len(words) > 1 and (words[-1] in _RELATIVES or (words[-1] == "on" and words[-2] not in _WHOLE_WITH_ON)):
        return False
    said = " ".join(words)
    return _OPEN_CLAUSE.search(said) is None or _WHOLE_QUESTION.match(said) is not None
