"""`opencto up`: the server, from nothing to answering, and back to nothing without losing a thing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opencto.cli.context import DataDir

if TYPE_CHECKING:
    from collections.abc import Callable

    from opencto.cli.start import Started

_EXAMPLES = (
    "Examples\n\n[cyan]opencto up[/]  on http://127.0.0.1:8787, for this machine\n\n"
    "[cyan]opencto up --host 0.0.0.0 --tls self-signed[/]  for phones on this network\n\n"
    "[cyan]OPENCTO_DATABASE_URL=postgresql://… opencto up --workers 4[/]  on PostgreSQL\n\n"
    "Every flag is also a setting; see [cyan]opencto config show[/]."
)
app = typer.Typer(rich_markup_mode="rich")


@app.command(epilog=_EXAMPLES)
def up(
    host: Annotated[str | None, typer.Option(help="The address to listen on; 0.0.0.0 is all.")] = None,
    port: Annotated[str | None, typer.Option(help="The port; 0 takes a free one. [8787]")] = None,
    workers: Annotated[str | None, typer.Option(help="How many processes answer. [1]")] = None,
    data_dir: DataDir = None,
    tls: Annotated[str | None, typer.Option(help="self-signed makes a certificate for this network.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Your certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    public_url: Annotated[str | None, typer.Option(help="The origin under which people reach it.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    log_format: Annotated[str | None, typer.Option(help="auto, json or pretty.")] = None,
) -> None:
    """Start the server. The first time it prints a link that makes it yours."""
    from opencto.core import collector

    collector.pause()  # until it is open (serving.py)
    from opencto.cli.banner import announce, progress
    from opencto.cli.start import prepared

    # Values are checked by the settings, all at once, not by the parser one by one: hence text for numbers.
    flags = {
        "OPENCTO_HOST": host,
        "OPENCTO_PORT": port,
        "OPENCTO_WORKERS": workers,
        "OPENCTO_DATA_DIR": data_dir,
        "OPENCTO_TLS": tls,
        "OPENCTO_TLS_CERT": tls_cert,
        "OPENCTO_TLS_KEY": tls_key,
        "OPENCTO_PUBLIC_URL": public_url,
        "OPENCTO_LOG_LEVEL": log_level,
        "OPENCTO_LOG_FORMAT": log_format,
    }
    with prepared(flags, progress) as started:
        _serve(started, lambda: announce(started))


def _serve(started: "Started", on_open: "Callable[[], None]") -> None:
    if started.settings.workers > 1:
        import asyncio

        from opencto.cli.supervisor import Supervisor

        asyncio.run(Supervisor(started.settings, started.listener, on_open).run())
        return
    from opencto.app import create_app
    from opencto.cli.serving import serve

    serve(create_app(started.settings), started.settings, started.listener, on_open)
