"""`opencto login`: sign this command line in at a server that runs elsewhere."""

import os
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from opencto.cli import saved_login
from opencto.cli.context import AsJson
from opencto.cli.output import line, print_json, printable, warning

if TYPE_CHECKING:
    from opencto.client.options import Options
    from opencto.wire.identity import AuthSession

app = typer.Typer(rich_markup_mode="rich")

_NOT_AN_ARGUMENT = (
    "A token is never an argument: others see it in the list of processes, and your shell keeps it. "
    "Run `opencto login URL` and paste it, or pipe it in. If this token is real, revoke it: `opencto token revoke`."
)


@app.command(
    context_settings={"allow_extra_args": True},
    epilog="[cyan]opencto login https://opencto.example.com[/]  asks for your token\n\n"
    "[cyan]pass show opencto | opencto login https://opencto.example.com[/]  from a store\n\n"
    "OPENCTO_BASE_URL, OPENCTO_TOKEN, OPENCTO_DATA_DIR and --data-dir win over what is saved.\n\n"
    "Exit code 4: nothing like OpenCTO answers there. 5: the server refuses the token.",
)
def login(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Argument(help="Its address; else OPENCTO_BASE_URL, else the last one.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign in at a server elsewhere, with an API token. It is tried first, then kept in a file for you alone."""
    from opencto.cli.asked import secret

    if context.args or (url or "").startswith("octo_"):
        raise typer.BadParameter(_NOT_AN_ARGUMENT)
    address = url or os.environ.get("OPENCTO_BASE_URL") or _last()
    if not address:
        raise typer.BadParameter("Say where: opencto login https://opencto.example.com")
    options = _options(address, "not-asked-yet")
    if urlsplit(options.base_url).scheme == "http" and not options.is_local:
        warning("This address is not encrypted: whoever is between here and there can read the token. Prefer https.")
    options = _options(address, secret("Your API token", "token"))
    session = _who(options)
    place = saved_login.save(saved_login.SavedLogin(options.base_url, options.token))
    if as_json:
        print_json({"baseUrl": options.base_url, **session.model_dump(mode="json", include={"person", "workspaces"})})
    else:
        _told(session, options.base_url)
        line(f"Saved in {place}, for you alone. `opencto logout` forgets it.")
    winning = [name for name in ("OPENCTO_BASE_URL", "OPENCTO_TOKEN", "OPENCTO_DATA_DIR") if os.environ.get(name)]
    if winning:
        warning(f"{' and '.join(winning)} of your environment win{'' if winning[1:] else 's'} over what is saved.")


def _last() -> str | None:
    found = saved_login.find()
    return found.base_url if found else None


def _options(address: str, token: str) -> "Options":
    """Checked as the SDK does it. Ends with 2 and the SDK's sentence, which never repeats the token."""
    from opencto.client.errors import ConfigurationError
    from opencto.client.options import resolved

    try:
        return resolved(address, token, None, 60, 0)
    except ConfigurationError as problem:
        raise typer.BadParameter(str(problem).replace("base_url", "The address")) from None


def _who(options: "Options") -> "AuthSession":
    """Whose token it is. Raises StartError with 4 where OpenCTO does not answer, with 5 where it refuses the token."""
    from pydantic import ValidationError

    from opencto.cli.server import connected, refusal
    from opencto.core.errors import StartError
    from opencto.wire.identity import AuthSession

    with connected(options.base_url, options.token, verify=True) as client:
        answer = client.get("/api/v1/auth/session")
    if answer.status_code not in {200, 404} and answer.status_code not in range(300, 400):
        if answer.status_code != 401:
            raise refusal(answer)
        raise _refused(options.base_url)
    try:
        session = AuthSession.model_validate_json(answer.content) if answer.status_code == 200 else None
    except ValidationError:
        session = None
    if session is None:
        raise StartError(
            f"What answers at {options.base_url} is not OpenCTO. Give the address that its browser page has.",
            exit_code=4,
        )
    if session.person is None:
        raise _refused(options.base_url)
    return session


def _refused(base_url: str) -> Exception:
    from opencto.core.errors import StartError

    return StartError(
        f"{base_url} does not know this token, or it has ended. Nothing was saved. "
        "Make one there: `opencto token create laptop --scope all`.",
        exit_code=5,
    )


def _told(session: "AuthSession", base_url: str) -> None:
    person = session.person
    assert person is not None
    email = f" ({printable(person.email)})" if person.email else ""
    line(f"Signed in at {base_url} as {printable(person.name)}{email}.")
    rooms = [f"{one.slug} ({one.role.value})" for one in session.workspaces]
    if len(rooms) == 1:
        line(f"Your workspace is {rooms[0]}.")
    elif rooms:
        line(f"Your workspaces are {', '.join(rooms)}; choose with --workspace.")
    else:
        line("You are in no workspace there yet.")
