"""How `opencto keys` shows what it did: sentences and tables of 80 columns, or JSON. Never a key."""

import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opencto.cli.output import facts, line, printable, table
from opencto.wire.keys import KeyList, KeyReport, KeySaved, KeyScope, StoredKey

if TYPE_CHECKING:
    from opencto.vault.repository import KeyRow
    from opencto.vault.rotation import Rotated
    from opencto.vault.service import Checked, Verified

_WHAT_NOW = {
    "rejected": "OpenAI refuses it: save another one.",
    "unchecked": "It could not be tried yet: the server tries again within a day.",
    "unreadable": "This server cannot open it: save it again, or bring the secrets back.",
}


def keys(count: int) -> str:
    """`1 key`, `2 keys`."""
    return f"{count:,} {'key' if count == 1 else 'keys'}"


def whose(scope: KeyScope) -> str:
    return "yours" if scope == "user" else "shared"


def saved(done: KeySaved, slug: str) -> None:
    """What a key turned out to be."""
    line(f"Saved {done.key_hint} for {done.provider.value}: {whose(done.scope)} in {slug}.")
    line()
    facts([("state", done.state), *(_card(done.report) if done.report else [])])


def listed(found: KeyList, slug: str) -> None:
    if not found.keys:
        line(f"There is no key in {slug} yet. Save one with `opencto keys set`.")
        return
    rows = [
        (
            one.provider.value,
            whose(one.scope),
            one.key_hint,
            one.state,
            f"{one.updated_at:%Y-%m-%d}",
            f"{one.last_used_at:%Y-%m-%d}" if one.last_used_at else "never",
        )
        for one in found.keys
    ]
    table(("For", "Whose", "Key", "State", "Saved", "Last used"), rows)
    for state in sorted({one.state for one in found.keys} & _WHAT_NOW.keys()):
        line()
        line(f"{state}: {_WHAT_NOW[state]}")


def checked(one: StoredKey) -> None:
    line(f"{one.key_hint} for {one.provider.value}: {one.state}.")
    if one.report is None or one.state == "unreadable":
        line(_WHAT_NOW[one.state])
        return
    line()
    facts(_card(one.report))


def checked_line(one: "Checked") -> None:
    """One of many: told as soon as it is known, with its owner where there is something to do."""
    line(f"{one.state:<11}{one.key.provider:<14}{one.key.id}")
    if one.state == "ok":
        return
    line(f"           {_owner(one.key)} in {one.key.workspace_id}")
    for problem in one.report.problems if one.report else [_WHAT_NOW[one.state]]:
        facts([("         ", problem)])


def tally(found: "Sequence[Checked]") -> str:
    if not found:
        return "There is no key on this server yet."
    states = [one.state for one in found]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return f"{keys(len(found))} tried: {counts}."


def verified(count: int, broken: "Sequence[Verified]", by_version: Mapping[int, int]) -> None:
    if not count:
        line("There is no key on this server yet.")
        return
    line(f"{keys(count)}: {count - len(broken):,} open{f', {len(broken):,} do not' if broken else ''}.")
    line(f"Wrapped with {_versions(by_version)}.")
    for one in broken:
        _blame(one.key, one.why or "")


def rotated(done: "Rotated", by_version: Mapping[int, int]) -> None:
    if done.is_continued:
        line(
            f"The rotation to version {done.version} was stopped before; it is finished: {keys(done.wrapped)} wrapped."
        )
        line("Run it again to begin a new version.")
    elif not done.opened:
        line(f"There was no key to wrap. Version {done.version} is ready for the next one.")
    else:
        line(f"{keys(done.wrapped)} wrapped with version {done.version}.")
    idle = [str(version) for version, count in by_version.items() if not count and version < done.version]
    if idle:
        line(f"Nothing is wrapped with version {', '.join(idle)} any more. Kept: copies of the database need it.")
    if done.stuck:
        line(f"{keys(len(done.stuck))} stuck: they do not open, and stay as they are.")
    for one in done.stuck:
        _blame(one.key, one.why)


def as_json(one: "Checked") -> dict[str, Any]:
    report = one.report.model_dump(mode="json") if one.report else None
    return {**_row_json(one.key), "state": one.state, "report": report}


def verification_json(count: int, broken: "Iterable[Verified]", by_version: Mapping[int, int]) -> dict[str, Any]:
    found = [{**_row_json(one.key), "why": one.why} for one in broken]
    return {"keys": count, "open": count - len(found), "broken": found, "byVersion": _versions_json(by_version)}


def rotation_json(done: "Rotated", by_version: Mapping[int, int]) -> dict[str, Any]:
    return {
        "version": done.version,
        "continued": done.is_continued,
        "wrapped": done.wrapped,
        "stuck": [{**_row_json(one.key), "why": one.why} for one in done.stuck],
        "byVersion": _versions_json(by_version),
    }


@contextmanager
def waiting(words: str) -> Generator[None]:
    """A sign of life on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(words):
        yield


@contextmanager
def progress(words: str, *, quiet: bool) -> Generator[Callable[[int, int], None]]:
    """A bar on standard error where somebody watches; nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _card(report: KeyReport) -> list[tuple[str, object]]:
    unknown = "not known"
    reached = unknown if report.models is None else f"{report.models:,} reached"
    realtime = unknown if report.realtime is None else ("yes" if report.realtime else "no")
    return [
        ("kind", report.kind),
        ("models", reached),
        ("realtime", realtime),
        ("organization", report.organization or unknown),
        ("project", report.project or unknown),
        ("checked", f"{report.checked_at:%Y-%m-%d %H:%M} UTC"),
        *(("problem", problem) for problem in report.problems),
    ]


def _owner(key: "KeyRow") -> str:
    return key.person_id or "shared"


def _blame(key: "KeyRow", why: str) -> None:
    line()
    line(f"{key.id} does not open")
    owner = key.person_id or "shared by the workspace"
    facts(
        [
            ("owner", owner),
            ("workspace", key.workspace_id),
            ("for", key.provider),
            ("wrapped with", f"version {key.envelope.wrapping_version}"),
            ("why", printable(why)),
        ]
    )


def _versions(by_version: Mapping[int, int]) -> str:
    used = {version: count for version, count in by_version.items() if count}
    return ", ".join(f"version {version}: {count:,}" for version, count in used.items()) or "no version of this server"


def _versions_json(by_version: Mapping[int, int]) -> dict[str, int]:
    return {str(version): count for version, count in by_version.items()}


def _row_json(key: "KeyRow") -> dict[str, Any]:
    return {
        "keyId": key.id,
        "workspaceId": key.workspace_id,
        "personId": key.person_id,
        "provider": key.provider,
        "scope": key.scope,
        "wrappingVersion": key.envelope.wrapping_version,
    }
