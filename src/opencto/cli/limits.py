"""`opencto limits`: the rate limits and the monthly budget of a workspace; here, or at a server elsewhere."""

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opencto.cli.context import AsJson, DataDir, open_local_house
from opencto.cli.elsewhere import Room, either, room
from opencto.cli.options import WHERE, Workspace, local_workspace
from opencto.cli.output import line, print_json, table
from opencto.client.sending import NOT_GIVEN
from opencto.wire.identity import Role
from opencto.wire.limits import BucketState, SpendState, WorkspaceLimits, WorkspaceLimitsUpdate

if TYPE_CHECKING:
    from opencto.client import OpenCTO
    from opencto.house import House
    from opencto.identity.caller import WorkspaceCaller
    from opencto.limits.service import Limits

app = typer.Typer(rich_markup_mode="rich")
_Found = tuple[WorkspaceLimits, str]
"""The limits, and what the workspace is called."""
PerMinute = Annotated[str | None, typer.Option(metavar="N|default", help="Calls a minute for each person.")]
MonthlyUsd = Annotated[str | None, typer.Option(metavar="X|none", help="The budget of a month (UTC), in US dollars.")]
_OPTIONS = {
    "realtime_token": "--realtime-token",
    "voice_respond": "--voice-respond",
    "cto_openai_proxy": "--cto-openai-proxy",
}


@app.callback(
    invoke_without_command=True,
    epilog="[cyan]opencto limits[/]  how much is used\n\n"
    "[cyan]opencto limits set --voice-respond 10 --monthly-usd 50[/]  change two of them\n\n"
    "[cyan]opencto limits set --voice-respond default --monthly-usd none[/]  and back\n\n" + WHERE,
)
def limits(context: typer.Context) -> None:
    """How many calls a minute each person may make, and what a workspace may spend in a month."""
    if context.invoked_subcommand is None:
        show(None, None, as_json=False)


@app.command("show", epilog="[cyan]opencto limits show[/]\n\n[cyan]opencto limits show -w ops --json[/]  for a program")
def show(workspace: Workspace = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Every limit of a workspace, what you used of it, and this month's spending against its budget."""

    def here(data_dir: Path | None) -> _Found:
        with _limits(data_dir, workspace, Role.VIEWER) as (_house, who, rules):
            return _ask(rules, rules.show(who)), who.slug

    def there(client: "OpenCTO") -> _Found:
        found = room(client, workspace, Role.VIEWER)
        return client.limits.get(workspace_id=_named(found)), found.slug

    _print(*either(data_dir, here, there), as_json=as_json)


@app.command(
    "set",
    epilog="[cyan]opencto limits set --realtime-token 10[/]  ten calls a minute for each person\n\n"
    "[cyan]opencto limits set -w ops --monthly-usd 49.50[/]  calls are refused once it is spent\n\n"
    "[cyan]opencto limits set --realtime-token default --monthly-usd none[/]  back to the server's own",
)
def change(
    realtime_token: PerMinute = None,
    voice_respond: PerMinute = None,
    cto_openai_proxy: PerMinute = None,
    monthly_usd: MonthlyUsd = None,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Change limits of a workspace; what you do not name stays. It holds within a second, also for a running server."""
    asked = {"realtime_token": realtime_token, "voice_respond": voice_respond, "cto_openai_proxy": cto_openai_proxy}
    body = _body({name: value for name, value in asked.items() if value is not None}, monthly_usd)

    def here(data_dir: Path | None) -> _Found:
        with _limits(data_dir, workspace, Role.ADMIN) as (house, who, rules):

            async def run() -> WorkspaceLimits:
                tallies, spend = await rules.usage(who, await rules.policy_after(who, body))
                with house.database.write() as tx:
                    return rules.change(tx, who, body, tallies, spend)

            return _ask(rules, run()), who.slug

    def there(client: "OpenCTO") -> _Found:
        found = room(client, workspace, Role.ADMIN)
        given = body.model_dump(exclude_unset=True, by_alias=False)
        buckets = {name: one["limit"] for name, one in given["buckets"].items()}
        usd = given.get("monthly_usd", NOT_GIVEN)
        return client.limits.update(buckets=buckets, monthly_usd=usd, workspace_id=_named(found)), found.slug

    _print(*either(data_dir, here, there), as_json=as_json)


@contextmanager
def _limits(
    data_dir: Path | None, workspace: str | None, at_least: Role
) -> "Generator[tuple[House, WorkspaceCaller, Limits]]":
    from opencto.house import open_limits
    from opencto.ledger.usage import Ledger

    with open_local_house(data_dir) as house:
        with house.database.read() as tx:
            who = local_workspace(tx, workspace, at_least)
        yield house, who, open_limits(house, Ledger(house.database, house.clock))


def _named(found: Room) -> str:
    if found.id is None:  # the token may not tell, and the path of the route needs it
        raise typer.BadParameter("say which workspace: this token lacks the scope account:read.", param_hint="-w")
    return found.id


def _ask(rules: "Limits", question: Coroutine[Any, Any, WorkspaceLimits]) -> WorkspaceLimits:
    async def run() -> WorkspaceLimits:
        try:
            return await question
        finally:
            await rules.store.aclose()

    return asyncio.run(run())


def _body(asked: dict[str, str], monthly_usd: str | None) -> WorkspaceLimitsUpdate:
    from pydantic import ValidationError

    if not asked and monthly_usd is None:
        raise typer.BadParameter(f"Say what to change: {', '.join([*_OPTIONS.values(), '--monthly-usd'])}.")
    values: dict[str, object] = {
        "buckets": {name: {"limit": _number(_OPTIONS[name], text)} for name, text in asked.items()}
    }
    if monthly_usd is not None:
        values["monthlyUsd"] = None if monthly_usd in {"none", "default"} else monthly_usd
    try:
        return WorkspaceLimitsUpdate.model_validate(values)
    except ValidationError as error:
        where = error.errors()[0]["loc"]
        if where[0] == "buckets":
            option, must = _OPTIONS[str(where[1])], "a whole number from 1 to 100000, or default"
        else:
            option, must = "--monthly-usd", "dollars with at most two decimals such as 49.50, or none"
        raise typer.BadParameter(f"must be {must}.", param_hint=option) from None


def _number(option: str, text: str) -> int | None:
    if text == "default":
        return None
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter("must be a whole number from 1 to 100000, or default.", param_hint=option) from None


def _print(found: WorkspaceLimits, slug: str, *, as_json: bool) -> None:
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    line(_spending(found.spend, slug))
    if found.spend.unpriced_calls:
        line(f"{found.spend.unpriced_calls:,} calls of unknown cost are not in this sum.")
    line()
    rows = [
        (
            name,
            "unknown" if one.used is None else one.used,
            f"{one.limit} in {one.window_seconds} s",
            _set_by(one),
            _next(one),
        )
        for name, one in found.buckets.items()
    ]
    table(("Limit", "You used", "Of", "Set by", "Next place free"), rows, right=("You used",))


def _spending(spend: SpendState, slug: str) -> str:
    spent = _dollars(spend.spent_usd)
    if spend.monthly_usd is None:
        return f"{spent} spent in {slug} this month; there is no budget."
    share = f" ({spend.spent_usd / spend.monthly_usd:.0%})" if spend.monthly_usd else ""
    told = {"warning": " It is nearly spent.", "reached": " It is spent: calls are refused."}.get(spend.state, "")
    return f"{spent} of ${spend.monthly_usd:,.2f}{share} spent in {slug}.{told} The month ends {spend.resets_at:%Y-%m-%d} UTC."


def _dollars(amount: Decimal) -> str:
    return "less than $0.01" if 0 < amount < Decimal("0.01") else f"${amount:,.2f}"


def _set_by(one: BucketState) -> str:
    return "this workspace" if one.source == "workspace" else "the server"


def _next(one: BucketState) -> str:
    return f"{one.resets_at:%H:%M:%S} UTC" if one.resets_at else "now"
