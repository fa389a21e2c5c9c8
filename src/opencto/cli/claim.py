"""`opencto claim`: a fresh claim link, on the machine of the server or inside its container, also while it runs."""

from typing import TYPE_CHECKING, Annotated

import typer

from opencto.cli import output
from opencto.cli.context import AsJson, DataDir

if TYPE_CHECKING:
    from opencto.house import House

_EXAMPLES = (
    "Examples\n\n[cyan]opencto claim[/]  print a link\n\n[cyan]podman exec opencto opencto claim[/]  in a container\n\n"
    "[cyan]opencto claim --email ada@example.com --name Ada[/]  claim it here; asks for a password"
)
app = typer.Typer(rich_markup_mode="rich")


@app.command(epilog=_EXAMPLES)
def claim(
    email: Annotated[str | None, typer.Option(help="Claim it here and now, for this address.")] = None,
    name: Annotated[str | None, typer.Option(help="Your name, with --email.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Print a fresh link that makes the server yours. Links from before stop working."""
    from opencto.cli.claim_link import claim_link
    from opencto.cli.context import open_local_house
    from opencto.cli.elsewhere import here_alone
    from opencto.core.errors import StartError

    if (email is None) != (name is None):
        raise typer.BadParameter("--email and --name belong together.")
    here_alone(data_dir, "claim")
    with open_local_house(data_dir) as house:
        url = claim_link(house, anywhere=True)
        if url is None:
            raise StartError("This server is already claimed. `opencto people list` shows whose it is.")
        if email is not None and name is not None:
            _claim_here(house, url, name, email)
            output.line(f"The server is yours. Sign in at {house.settings.origin} as {email}.")
            return
    if as_json:
        output.print_json({"claimUrl": url})
        return
    output.line(url)


def _claim_here(house: "House", url: str, name: str, email: str) -> None:
    """Use the link up in the person's stead. The password is asked for, never an argument: those are seen by others."""
    from pydantic import ValidationError

    from opencto.core.errors import StartError
    from opencto.core.secret import Secret
    from opencto.identity.claim import ClaimService
    from opencto.identity.hashing import Hashing
    from opencto.identity.ports import AuditEvent
    from opencto.wire.identity import Claim

    password = typer.prompt("Password, at least 10 characters", hide_input=True, confirmation_prompt="Once more")
    try:
        body = Claim(token=url.rpartition("#")[2], name=name, email=email, password=password)
    except ValidationError as error:
        wrong = "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors(include_input=False))
        raise StartError(f"{wrong}.", exit_code=2) from None
    password_hash = Hashing().hash_password(Secret(body.password))
    audit = house.audit  # reads its key, which writes when it is the first time: not within the transaction
    with house.database.write() as tx:
        person_id = ClaimService(house.settings, house.clock).take(
            tx, body.token, is_loopback=True, name=body.name, email=body.email, password_hash=password_hash
        )
        audit.record(tx, AuditEvent.local("server.claimed", "person", person_id))
