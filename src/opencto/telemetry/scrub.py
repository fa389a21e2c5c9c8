"""What looks like a credential becomes `***`, wherever it stands in a text, and whatever is called like one too.

Logs, traces and the words of a refusal pass here. A rule runs only when its cheap needle is in the text, so that an
ordinary line costs a microsecond. It errs on the side of hiding, but leaves ids, hashes and plain words alone.
"""

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, cast

MASK = "***"
MAX_CHARACTERS = 20_000
"""A longer text is cut: a log is no place for a body."""
_MAX_DEPTH = 6
_MAX_ITEMS = 100

_TELLING = r"(?:pass(?:word|wd|phrase|code)|secret|token|api[_-]?key|private[_-]?key|master[_-]?key|credentials?|authorization|cookie|csrf|recovery[_-]?codes?)"
_TELLING_NAME = re.compile(rf"(?i){_TELLING}|(?:^|[_-])(?:t?otp|pwd|dsn)(?:$|[_-])")
_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|-")
_HARMLESS_NAME = re.compile(
    r"tokens$|tokens?_(?:kind|limit|per_.*)$|(?:^|_)(?:ids?|hint|name|count|seconds|state|source)$"
)
"""Of a name as `snake_case`: `tokenId` is an id as `token_id` is, and `secret_account` does not end in a count."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """`needles`: lower-case texts of which one must be there for the rule to run. Group 1 stays, the rest is masked."""

    needles: tuple[str, ...]
    pattern: re.Pattern[str]


def _rule(needles: str, pattern: str) -> _Rule:
    return _Rule(tuple(needles.split()), re.compile(pattern))


_BODY = r"[A-Za-z0-9_-]"
# Repeats that could start anywhere are bounded, so that no text takes long.
# A prefix of ours in the middle of a word is a secret only when what follows is long and has a digit: "risk-assessment"
# and "week_number" are words, and `\nsk-…` in a repr() is not.
_RANDOM = rf"(?=[A-Za-z_-]{{0,60}}[0-9]){_BODY}{{16,}}"
_RULES: tuple[_Rule, ...] = (
    _rule("private", r"(-----BEGIN )[A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    _rule("otpauth:", r"(otpauth://)[^\s'\"<>]+"),
    _rule("$", r"(\$(?:argon2(?:id|[id])|2[abxy]|scrypt|pbkdf2[a-z0-9-]*)\$)[^\s'\"]+"),
    _rule(
        "authorization cookie csrf api-key",
        r"((?i:authorization|cookie|x-csrf-token|api-key)(?:\\?['\"]\s*[:=,]|\s*[:=])\s*b?)(?:\\?\"[^\"\n]*|\\?'[^'\n]*|[^\s'\"][^'\"\n]*)",
    ),
    _rule(
        "sk-",
        rf"(sk-(?:(?:proj|svcacct|admin|ant|or)-)?){_RANDOM}|((?<![A-Za-z0-9])sk-(?:(?:proj|svcacct|admin|ant|or)-(?!\*))?)(?!(?:proj|svcacct|admin|ant|or)-\*){_BODY}{{8,}}",
    ),
    _rule("ek_", rf"(ek_){_RANDOM}|((?<![A-Za-z0-9])ek_){_BODY}{{8,}}"),
    _rule("octo_", r"(octo_(?:session_|claim_|invite_|reset_)?)[A-Za-z0-9]{8,}"),
    _rule(
        "xox xapp- gho_ ghp_ ghs_ ghu_ ghr_ github_pat_ glpat- aiza akia",
        rf"(xox[abeprs]-|xapp-|gh[opsur]_|github_pat_|glpat-|AIza|AKIA){_BODY}{{10,}}",
    ),
    _rule(":a", r"([0-9]{8,12}:)A[A-Za-z0-9_-]{30,}"),
    _rule("eyj", r"(eyJ)[A-Za-z0-9_-]{8,1000}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*"),
    _rule("bearer basic", r"((?i:bearer|basic)\s+)(?=[^\s][a-z]*[A-Z0-9+=_~])[A-Za-z0-9+/=._~-]{8,}"),
    _rule("://", r"((?:(?<=http)|(?<=https))://[^\s:/@'\"]*:)[^\s/@]+(?=@)"),
    _rule("://", r"((?<!http)(?<!https)://[^\s:/@'\"]*:)[^\s'\"]{1,300}(?=@)"),
    _rule(
        "pass pwd secret token key otp",
        r"((?i:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|(?:private|master)[_-]?key|otp)=)[^\s&;,'\")}\]]+",
    ),
    _rule(
        "pass secret token key credential",
        rf"(['\"](?i:[a-z_-]*{_TELLING})\\?['\"]\s*:\s*b?)(?:\\?\"[^\"\n]*\"?|'[^'\n]*'?)",
    ),
)
_BASE32 = re.compile(r"(?<![A-Za-z0-9])[A-Z2-7]{26,}(?![A-Za-z0-9])")


_NEEDLES = tuple((needle, index) for index, rule in enumerate(_RULES) for needle in rule.needles)
_SHORTEST = 7
_known_clean: set[str] = set()
"""Short texts that were looked at and had nothing to hide: event names, routes, levels. Never one that had."""


def scrub(text: str) -> str:
    """The text with everything that looks like a credential replaced by `***`."""
    if len(text) < _SHORTEST or text in _known_clean:
        return text
    cut = text[: MAX_CHARACTERS + 400] if len(text) > MAX_CHARACTERS else text
    lowered = cut.lower()
    for index in sorted({index for needle, index in _NEEDLES if needle in lowered}):
        cut = _RULES[index].pattern.sub(_mask, cut)
    if len(cut) >= 26 and not cut.islower():
        cut = _BASE32.sub(MASK, cut)
    if len(cut) > MAX_CHARACTERS:
        return f"{cut[:MAX_CHARACTERS]}…"
    if len(text) <= 64 and cut == text:
        if len(_known_clean) >= 4096:
            _known_clean.clear()
        _known_clean.add(text)
    return cut


def _mask(match: re.Match[str]) -> str:
    return f"{next((group for group in match.groups() if group is not None), '')}{MASK}"


@functools.lru_cache(maxsize=2048)
def is_secret_name(name: str) -> bool:
    """Whether what is called so must not be shown, whatever it looks like."""
    words = _WORD_BEGINS.sub("_", name).lower()
    return _TELLING_NAME.search(words) is not None and _HARMLESS_NAME.search(words) is None


def scrub_value(value: Any, name: str = "", depth: int = 0) -> Any:
    """Any value of a log event as plain JSON, cleaned by what it is called and by what it looks like. Never raises."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if name and is_secret_name(name):
        return MASK
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return MASK
    if isinstance(value, (Mapping, Sequence, Set)):
        return _scrub_container(cast("Mapping[Any, Any] | Sequence[Any] | Set[Any]", value), depth)
    return scrub(_text(value))


def _scrub_container(value: Mapping[Any, Any] | Sequence[Any] | Set[Any], depth: int) -> Any:
    if depth >= _MAX_DEPTH:
        return "…"
    try:
        if isinstance(value, Mapping):
            pairs = list(value.items())[:_MAX_ITEMS]
            return {scrub(_text(key)): scrub_value(item, _text(key), depth + 1) for key, item in pairs}
        return [scrub_value(item, "", depth + 1) for item in list(value)[:_MAX_ITEMS]]
    except Exception:  # noqa: BLE001 - a log line is never the reason of a failure
        return f"<{type(value).__name__}>"


def _text(value: object, convert: Callable[[object], str] = str) -> str:
    try:
        return convert(value)
    except Exception:  # noqa: BLE001 - a value whose text fails must not take the line with it
        return f"<{type(value).__name__}>"
