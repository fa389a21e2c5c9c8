"""Words: where they begin and end, and what is left of them when grammar is taken off."""

import re
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ENDINGS = (
    ("ations", "at"), ("ation", "at"), ("ies", "y"), ("sses", "ss"), ("ments", ""), ("ment", ""), ("ings", ""), ("ing", ""),
    ("ures", ""), ("ure", ""), ("edly", ""), ("ied", "y"), ("ers", ""), ("ed", ""), ("ly", ""), ("es", ""), ("er", ""), ("s", ""),
)  # fmt: skip
_IRREGULAR = {
    "spent": "spend", "sent": "send", "went": "go", "ran": "run", "running": "run", "gone": "go", "broke": "break",
    "broken": "break", "bought": "buy", "sold": "sell", "paid": "pay", "made": "make", "built": "build", "said": "say",
    "told": "tell", "found": "find", "written": "write", "wrote": "write", "people": "person", "men": "man", "us": "us",
    "is": "be", "are": "be", "was": "be", "were": "be", "been": "be", "shut": "shut", "shutting": "shut", "left": "leave",
    "begun": "begin", "began": "begin", "fell": "fall", "fallen": "fall", "got": "get", "getting": "get", "did": "do",
    "done": "do", "does": "do", "has": "have", "had": "have", "status": "status", "news": "news", "this": "this",
}  # fmt: skip
_SILENT = frozenset(
    ["a", "an", "the", "and", "or", "but", "if", "of", "to", "in", "on", "at", "for", "from", "by", "with", "about", "as", "into", "over", "under", "up", "down", "out", "off", "than", "then", "so", "such", "that", "this", "these", "those", "there", "here", "it", "its", "they", "them", "their", "he", "she", "his", "her", "we", "our", "us", "you", "your", "i", "me", "my", "mine", "be", "am", "can", "could", "will", "would", "shall", "should", "may", "might", "must", "do", "have", "what", "which", "who", "whom", "whose", "when", "where", "why", "how", "much", "many", "any", "some", "all", "every", "each", "no", "not", "only", "just", "please", "tell", "show", "give", "let", "get", "want", "need", "like", "would", "could", "now", "also", "too", "very", "really", "hey", "hi", "hello", "ok", "okay", "well", "kindly", "thanks", "thank", "yes", "yeah", "per", "via", "are", "is", "was", "were", "been", "being", "does", "did", "has", "had", "i'm", "it's", "what's", "i'd", "i've", "don't", "let's", "who's", "how's", "where's", "that's", "there's"]
)  # fmt: skip
STOP = _SILENT
"""Words that say nothing about the matter."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start: int
    end: int

    @property
    def low(self) -> str:
        return self.text.lower()

    @property
    def is_capital(self) -> bool:
        return self.text[0].isupper()


def words(text: str) -> list[Word]:
    return [Word(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]


def split_name(name: str) -> list[str]:
    """`listOpenInvoices` and `list_open_invoices` are "list", "open", "invoices"."""
    return [word.lower() for part in re.split(r"[^A-Za-z0-9]+", name) for word in _CAMEL.split(part) if word]


def stem(word: str) -> str:
    """Two forms of a word mostly have the same stem. It is not always a word itself."""
    word = word.lower().replace("’", "'")
    word = word.removesuffix("'s")
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.isascii() or any(letter.isdigit() for letter in word):
        return word
    for ending, replacement in _ENDINGS:
        root = word.removesuffix(ending)
        if root != word and len(root) + len(replacement) >= 3:
            if ending == "s" and root.endswith("s"):
                return word
            word = root + replacement
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def stems(text: str) -> list[str]:
    """Of the words that say something."""
    return [stem(word) for word in map(str.lower, _WORD.findall(text)) if word not in STOP]


def initials(parts: list[str]) -> list[str]:
    """ "PR" and "PRs" for pull request."""
    found = [
        "".join(word[0] for word in parts[at : at + size]) for size in (2, 3) for at in range(len(parts) - size + 1)
    ]
    return [*found, *(f"{one}s" for one in found)]
