"""The mind of the sandbox: deterministic, and honest about what it is."""

import threading
from collections.abc import Sequence
from dataclasses import replace

from starlette.concurrency import run_in_threadpool

from opencto.sandbox.mind import answering, follow_up, scripts, strings
from opencto.sandbox.mind.arguments import Filled, fill
from opencto.sandbox.mind.embedding import Embedder
from opencto.sandbox.mind.figures import Style, joined, label
from opencto.sandbox.mind.reading import Reading, read
from opencto.sandbox.mind.routing import Candidate, Described, candidates, described
from opencto.sandbox.mind.schema import Field
from opencto.sandbox.mind.several import more_calls, parts_of
from opencto.sandbox.mind.words import STOP, stems
from opencto.sandbox.ports import Call, Calls, Conversation, Said, Say

_MOST_TOOLS = 128
_SURE = 1.0
_POINTED = 3.5
"""What it counts for a tool that what it needs was pointed at."""
_MARGIN = 0.012
"""How much nearer one value must be than the next to be the one that is meant."""


class LocalMind:
    """Fulfils `Mind`. Costs nothing until the first question."""

    def __init__(self, embedder: Embedder | None = None) -> None:
        self._embedder = embedder or Embedder()
        self._is_waking = False

    def wake(self) -> None:
        if self._embedder.knows_meaning and not self._is_waking:
            self._is_waking = True
            threading.Thread(
                target=self._embedder.embed, args=(["hello"],), kwargs={"are_queries": True}, daemon=True
            ).start()

    async def reply(self, conversation: Conversation) -> Say | Calls:
        return await run_in_threadpool(self._reply, conversation)

    async def embed(self, texts: Sequence[str], *, are_queries: bool) -> list[list[float]]:
        return await run_in_threadpool(self._embedder.embed, texts, are_queries=are_queries)

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    def _reply(self, conversation: Conversation) -> Say | Calls:
        exact = scripts.exactly(conversation.instructions)
        if exact is not None:
            return Say(exact)
        if scripts.asks_for_notes(conversation.instructions):
            asked = [one.text for one in conversation.entries if isinstance(one, Said) and one.role == "user"]
            return Say(scripts.notes(asked))
        reading = read(conversation)
        if reading.results:
            return Say(self._told(reading, is_spoken=conversation.is_spoken))
        tools = [described(tool) for tool in conversation.tools[:_MOST_TOOLS]]
        if conversation.tool_choice not in {"auto", "none"}:
            return self._forced(conversation.tool_choice, reading, tools)
        said = scripts.scripted(reading.said, conversation.tools) or scripts.scripted(reading.text, conversation.tools)
        if said is not None:
            return Say(said)
        if conversation.tool_choice == "none" or not tools:
            return Say(scripts.HONEST)
        return self._asked(reading, tools, may_call_several=conversation.may_call_several) or Say(scripts.HONEST)

    def _asked(self, reading: Reading, tools: list[Described], *, may_call_several: bool) -> Say | Calls | None:
        completed = self._completed(reading, tools)
        if completed is not None:
            return completed
        found = self._candidates(reading.text, reading, tools)
        best = found[0]
        leaning = self._leaning(reading, tools, best)
        if leaning is not None:
            return leaning
        if may_call_several:
            several = self._several(reading, tools)
            if several is not None:
                return several
        if best.score <= 0:
            return None
        return self._called(best, reading, tools, may_call_several=may_call_several)

    def _candidates(self, text: str, reading: Reading, tools: list[Described]) -> list[Candidate]:
        near = self._embedder.near if self._embedder.knows_meaning else None
        found = candidates(text, tools, reading.now, near, self._alike)
        return sorted((self._with_pointing(one, reading) for one in found), key=lambda one: -one.score)

    def _with_pointing(self, one: Candidate, reading: Reading) -> Candidate:
        """ "Close the first one" leaves nothing open when the last result has a first one."""
        filled = self._pointed(one.filled, reading) if one.filled.missing else one.filled
        resolved = len(one.filled.missing) - len(filled.missing)
        return replace(one, filled=filled, score=one.score + _POINTED * resolved) if resolved else one

    def _called(
        self, best: Candidate, reading: Reading, tools: list[Described], *, may_call_several: bool
    ) -> Say | Calls:
        one = next(one for one in tools if one.tool is best.tool)
        filled = best.filled
        if filled.missing:
            return Say(_ask_back(filled.missing))
        first = Call(best.tool.name, dict(filled.values))
        rest = more_calls(reading.text, one, filled, reading.now, self._alike) if may_call_several else []
        return Calls((first, *(Call(best.tool.name, values) for values in rest)))

    def _pointed(self, filled: Filled, reading: Reading) -> Filled:
        """What is missing, from what the last result named: "close the first one"."""
        values, missing = dict(filled.values), list[Field]()
        for field in filled.missing:
            value = follow_up.pointed_at(reading.text, field, reading)
            if value is None:
                missing.append(field)
            else:
                values[field.name] = value
        return Filled(values, tuple(missing), filled.found, filled.guessed)

    def _several(self, reading: Reading, tools: list[Described]) -> Calls | None:
        """Two things in one sentence, each for a tool of its own."""
        calls: list[Call] = []
        for part in parts_of(reading.text):
            best = self._candidates(part, reading, tools)[0]
            if best.score <= 0.5 or best.filled.missing:
                return None
            calls.append(Call(best.tool.name, dict(best.filled.values)))
        names = {call.name for call in calls}
        return Calls(tuple(calls)) if len(calls) > 1 and len(names) == len(calls) else None

    def _leaning(self, reading: Reading, tools: list[Described], best: Candidate) -> Calls | None:
        """ "And yesterday?": the last call once more with the change."""
        last = reading.answered[-1] if reading.answered else None
        one = next((one for one in tools if last is not None and one.tool.name == last.call.name), None)
        verbs = frozenset(stem for other in tools for stem in other.name_stems)
        if last is None or one is None or not follow_up.leans(reading.text, verbs):
            return None
        if best.score > _SURE and best.tool is not one.tool and len(stems(reading.text)) > 1:
            return None
        old = follow_up.arguments_of(last)
        text = follow_up.change(reading.text)
        known = tuple(field for field in one.fields if field.name in old)
        filled = fill(one.tool, text, reading.now, self._alike, fields=one.fields, first=known)
        pointed = {field.name: value for field in known if (value := follow_up.pointed_at(text, field, reading))}
        new = {name: filled.values[name] for name in filled.found - filled.guessed}
        if not new and follow_up.is_led(reading.text) and not pointed:
            new = {name: filled.values[name] for name in filled.guessed if name in old}
        new |= pointed
        return Calls((Call(one.tool.name, follow_up.merged(old, new, one.fields)),)) if new else None

    def _completed(self, reading: Reading, tools: list[Described]) -> Say | Calls | None:
        """The answer to a question of ours: the request before it, with what was missing."""
        if not reading.asked_back.startswith(follow_up.ASKED_BACK) or not reading.before:
            return None
        before = self._candidates(reading.before[-1], reading, tools)[0]
        one = next(one for one in tools if one.tool is before.tool)
        if not before.filled.missing:
            return None
        missing = before.filled.missing
        filled = fill(
            one.tool,
            follow_up.change(reading.text) or reading.text,
            reading.now,
            self._alike,
            fields=missing,
            first=missing,
        )
        values = {**before.filled.values, **{name: filled.values[name] for name in filled.found}}
        left = tuple(field for field in missing if field.name not in values)
        if left == missing and len(left) == 1 and strings.is_free_text(left[0]) and left[0].kind == "string":
            values[left[0].name], left = reading.said[:400], ()  # whatever is answered to "which text?" is the text
        if len(left) == len(missing):
            other = self._candidates(reading.text, reading, tools)[0]
            if other.score > 0:
                return None
        if left:
            return Say(_ask_back(left))
        return Calls((Call(one.tool.name, values),))

    def _forced(self, chosen: str, reading: Reading, tools: list[Described]) -> Say | Calls:
        allowed = [one for one in tools if chosen in {"required", one.tool.name}]
        if not allowed:
            return Say(f"I am {scripts.NAME}, and there is no tool that I could call.")
        found = self._candidates(reading.text, reading, allowed)
        whole = [one for one in found if not one.filled.missing]
        best = found[0] if found[0].score > 0 or not whole else whole[0]
        return self._called(best, reading, tools, may_call_several=False)

    def _told(self, reading: Reading, *, is_spoken: bool) -> str:
        question = reading.said
        if follow_up.leans(question) and reading.before:
            question = f"{reading.before[-1]} {question}"
        style = Style(is_spoken=is_spoken, year=reading.now.year)
        told = [
            answering.told(
                one.call.name, follow_up.arguments_of(one), one.output or "", question[:500], self._rank, style
            )
            for one in reading.results[:8]
        ]
        return " ".join(dict.fromkeys(told))

    def _rank(self, question: str, phrases: Sequence[str]) -> list[float]:
        if not self._embedder.knows_meaning or not phrases:
            return [0.0] * len(phrases)
        return self._embedder.near([question], phrases)[0]

    def _alike(self, word: str, values: tuple[str, ...]) -> int | None:
        if not self._embedder.knows_meaning or len(values) < 2:
            return None
        near = self._embedder.near([word], [value.replace("_", " ") for value in values])[0]
        order = sorted(range(len(values)), key=lambda at: -near[at])
        return order[0] if near[order[0]] - near[order[1]] >= _MARGIN else None


def _ask_back(missing: Sequence[Field]) -> str:
    names = joined([f"the {_called(field)}" for field in missing[:4]])
    first = missing[0]
    if len(missing) == 1 and first.values:
        return f"{follow_up.ASKED_BACK}{names}: {joined([str(value).replace('_', ' ') for value in first.values[:8]], 'or')}. Which one?"
    return f"{follow_up.ASKED_BACK}{names}. {'Which one is it?' if len(missing) == 1 else 'Please tell me.'}"


def _called(field: Field) -> str:
    """ "The at" says nothing: where a name is a small word its description does."""
    about = field.description.partition(".")[0].strip()
    return about.lower() if label(field.name) in STOP and 0 < len(about) < 40 else label(field.name)
