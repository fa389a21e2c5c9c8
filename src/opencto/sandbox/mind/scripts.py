"""The little that the mind says by heart: greetings, thanks, who it is, what it can do, and the truth about all else."""

import re
from collections.abc import Sequence

from opencto.sandbox.mind.figures import joined
from opencto.sandbox.mind.words import split_name
from opencto.sandbox.ports import Tool

NAME = "OpenCTO's local sandbox"
ADD_A_KEY = "Add an OpenAI key for real answers."
HONEST = f"I am {NAME}, so I cannot answer that. {ADD_A_KEY}"

_FILLER = r"(?:\s*(?:there|all|team|everyone|again|so much|very much|a lot|a bunch|then|now|please|friend|buddy|mate|for (?:that|your help|everything|now|today)|today|opencto|my friend))*"
_HELLO = r"(?:hi|hello|hey|hiya|howdy|yo|good (?:morning|afternoon|evening|day)|greetings|hallo|moin|servus|guten (?:morgen|tag|abend)|what'?s up)"
_GREETINGS = re.compile(rf"{_HELLO}{_FILLER}")
_HOW_ARE_YOU = re.compile(
    rf"(?:{_HELLO}{_FILLER} )?(?:and )?(?:how are you(?: doing| today)*|how(?:'s| is) it going|how do you do|are you (?:ok|okay|well|there|awake|alive|listening)|can you hear me|"
    r"(?:it'?s |it is )?(?:nice|good|great) to (?:meet|see|hear(?: from)?) you(?: too)?|how was your (?:day|weekend|night))"
)
_THANKS = re.compile(
    rf"(?:(?:ok|okay|great|cool|perfect|awesome|alright|no|yes|nice) )?(?:many |a thousand )?(?:thanks|thank you|thx|cheers|danke|much appreciated|i appreciate (?:it|that|your help))(?:{_FILLER})"
    r"(?: (?:that(?: is|'s| was)|you(?: are|'re| were)|it(?: is|'s| was)) [\w' ]{2,30})?"
)
_BYE = re.compile(
    rf"(?:(?:ok|okay|thanks|thank you|well|great) )?(?:bye(?: bye)?|goodbye|good night|see (?:you|ya)(?: later| soon| tomorrow| around)?|talk to you (?:later|soon)|ciao|have a (?:nice|good|great) (?:day|one|evening|night|weekend)|take care|later|tschüss|that(?:'s| is| will be) all){_FILLER}"
)
_WHO = re.compile(
    r"(?:so |and |but |hey )?(?:who|what) (?:are|r) you(?: exactly| really)?|what(?:'s| is) your name|who am i (?:talking|speaking) to|(?:do you have a name)|"
    r"(?:are|r) you (?:a |an |really |actually )*(?:real|robot|bot|human|person|machine|ai|llm|language model|model|chatgpt|gpt|openai|sandbox|computer|alive|intelligent|sentient)(?: person| model| ai| bot)?|"
    r"(?:tell me (?:about yourself|who you are)|introduce yourself|who (?:made|built|created) you)"
)
_HELP = re.compile(
    r"(?:i need |please |can you |could you )*help(?: me)?(?: out| please)?|(?:so |and |hey |ok )?what (?:else )?(?:can|could) (?:you|i) (?:do|ask|say)(?: you| for me| here| with you| exactly| about| to you)*|how (?:can|do) (?:you help(?: me)?|i use you|you work|this work|does this work)|"
    r"what (?:are you able to do|do you do|do you know|are your (?:tools|skills|abilities|capabilities|functions|commands))|(?:what|which) (?:tools|functions|commands|skills) (?:do you have|are there|can you use|can i use)|"
    r"(?:list|show)(?: me)?(?: all)?(?: your| the)? (?:tools|commands|functions|skills|capabilities)|help commands?"
)
_NODS = re.compile(
    r"(?:ok|okay|k|alright|all right|right|sure|fine|yes|yeah|yep|no|nope|nah|great|cool|nice|good|perfect|awesome|wow|lol|haha+|hm+|uh+|um+|ah+|oh+|i see|got it|understood|never ?mind|forget it|nothing|sorry|oops|my bad|"
    r"that'?s (?:all|it|fine|funny|great|good|nice|cool|right|wrong)|you(?:'re| are) (?:welcome|funny|awesome|great|the best|amazing|right|wrong|nice|kind|cute|stupid|smart|useless)(?: .{0,20})?|well done|good (?:job|bot)|interesting|really|exactly|stop|wait|hold on|one moment|just a (?:second|moment|minute))"
    r"(?:,? (?:ok|okay|then|thanks|thank you|sorry|great|cool|no|yes))*"
)

_EXACTLY = re.compile(r'say exactly this(?:, [^:"]{1,100})?: "([^"]{1,400})"', re.IGNORECASE)


def scripted(text: str, tools: Sequence[Tool] = ()) -> str | None:
    """What is answered by heart; None for everything else."""
    said = plain(text)
    if not said:
        return f"I am {NAME}, and nothing was said."
    if len(said) > 120:
        return None
    if _GREETINGS.fullmatch(said):
        return f"Hello, I am {NAME}, not a model. Ask me for help to hear what I can do."
    if _HOW_ARE_YOU.fullmatch(said):
        return f"I am well, thank you. I am {NAME}; ask me for help to hear what I can do."
    if _THANKS.fullmatch(said):
        return "You are welcome."
    if _BYE.fullmatch(said):
        return "Goodbye."
    if _WHO.fullmatch(said):
        return f"I am {NAME}, not a model: I route what you ask to the tools that I am given, and say what they answer. {ADD_A_KEY}"
    if _HELP.fullmatch(said):
        return help_text(tools)
    if _NODS.fullmatch(said):
        return "All right."
    return None


def exactly(instructions: str) -> str | None:
    """What it is told to say, word for word, where that is all that it is told; in English, whatever language is asked for."""
    found = _EXACTLY.fullmatch(instructions.strip())
    return found[1] if found else None


def asks_for_notes(instructions: str) -> bool:
    return instructions.lstrip().lower().startswith("write notes on this conversation")


def notes(asked: Sequence[str]) -> str:
    """All that it can note of a conversation: what was asked, the newest, each cut to a line."""
    lines = [" ".join(one.split())[:80] for one in asked if one.strip()]
    return f"Notes of {NAME}: the user asked: {'; '.join(lines[-20:])}" if lines else f"Notes of {NAME}: nothing yet."


def plain(text: str) -> str:
    """Small letters and single blanks, without punctuation: "Hey, how are you?!" is "hey how are you"."""
    return " ".join(re.sub(r"[^\w'äöüß]+", " ", text.lower().replace("’", "'")).split())


def without_greeting(text: str) -> str:
    """The request behind "Hi, …" and "Thanks, …"."""
    found = re.match(
        rf"\s*(?:(?:{_HELLO}|thanks|thank you|ok(?:ay)?|great|perfect|alright|cool|so|well|um+|uh+)(?:\s+(?:there|all|team|a lot|so much))?\b\s*[,.!:;-]+\s*)+(?=\S)",
        text,
        re.IGNORECASE,
    )
    return text[found.end() :] if found else text


def help_text(tools: Sequence[Tool] = ()) -> str:
    """What it can do: the caller's own tools, in words."""
    about = f"I am {NAME}. I speak OpenAI's wire so that everything can be tried without a key. I do not think"
    if not tools:
        return (
            f"{about}: I greet, I help, I tell the truth about the rest, and with tools I would use them. {ADD_A_KEY}"
        )
    named = [_in_words(tool) for tool in tools[:8]]
    more = [f"{len(tools) - 8} things more"] if len(tools) > 8 else []
    return f"{about}, but I can use the tools that I am given: {joined([*named, *more])}. {ADD_A_KEY}"


def _in_words(tool: Tool) -> str:
    """The first clause of its description, else its name."""
    clause = re.split(r"(?<=\w)[.;:\n]", tool.description.strip(), maxsplit=1)[0].strip().rstrip(".")
    if not clause or len(clause) > 90:
        return " ".join(split_name(tool.name))
    return clause if clause[:2].isupper() else clause[0].lower() + clause[1:]
