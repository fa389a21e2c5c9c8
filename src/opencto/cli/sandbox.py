"""`opencto sandbox`: the local OpenAI alone, for trying everything (keys that people bring included) through OPENAI_BASE_URL."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from opencto.sandbox.config import SandboxConfig

_EXAMPLES = """Examples

[cyan]opencto sandbox --port 8788[/]  then OPENAI_BASE_URL=http://127.0.0.1:8788/v1 and any key that begins with sk-

[cyan]opencto sandbox --fault latency:2@/chat/completions --fault "rate_limit:5*3"[/]  with trouble on demand"""

app = typer.Typer(rich_markup_mode="rich")


@app.command(epilog=_EXAMPLES)
def sandbox(
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)] = 8788,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    data_dir: Annotated[
        Path | None,
        typer.Option(help="The folder for sandbox.db; else OPENCTO_DATA_DIR, else your home's.", show_default=False),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="KIND[:VALUE][@PATH][*TIMES]; the status page lists the kinds.", show_default=False),
    ] = None,
    requests_per_minute: Annotated[
        int, typer.Option(help="Chat completions a minute, per key and model.", min=1)
    ] = 10_000,
    tokens_per_minute: Annotated[int, typer.Option(help="Tokens a minute, per key and model.", min=1)] = 2_000_000,
    demo: Annotated[
        bool | None, typer.Option(help="Begin with 30 days of labelled demo usage.", show_default=False)
    ] = None,
) -> None:
    """Run the local sandbox alone. It speaks OpenAI's wire at /v1, takes any sk-… key, and says that it is a sandbox."""
    from opencto.core.configuration import load
    from opencto.sandbox.config import SandboxConfig
    from opencto.sandbox.faults import Fault

    wanted = None if demo is None else "on" if demo else "off"
    settings = load(flags={"OPENCTO_DATA_DIR": data_dir, "OPENCTO_SANDBOX_DEMO": wanted}).settings
    try:
        faults = tuple(Fault.parse(one) for one in fault or ())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from error
    config = SandboxConfig(
        database=settings.data_dir / "sandbox.db",
        demo=settings.sandbox_demo == "on",
        requests_per_minute=requests_per_minute,
        tokens_per_minute=tokens_per_minute,
        faults=faults,
        fault_control=True,
    )
    serve(config, host, port)


def serve(config: "SandboxConfig", host: str, port: int) -> None:
    """Answer until Ctrl-C. Raises StartError when the address is taken or the file is not ours to use."""
    import socket

    import uvicorn

    from opencto.core import heap
    from opencto.core.errors import StartError
    from opencto.core.problems import Unavailable
    from opencto.sandbox.app import create_sandbox, standing_alone
    from opencto.sandbox.front import KEEP_ALIVE_SECONDS
    from opencto.sandbox.store import NewerDatabase

    made = create_sandbox(config)
    try:
        made.store.open()
    except (NewerDatabase, Unavailable) as error:
        raise StartError(str(error)) from error
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise StartError(
            f"{host}:{port} cannot be listened on: {error.strerror}. Choose another with --port."
        ) from error
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listener.getsockname()[1]}"
    typer.echo(
        f"The sandbox answers at {address}/v1. It is not OpenAI: {address}/v1/ says what it can do. Ctrl-C ends it."
    )
    sys.setswitchinterval(0.0005)  # the thread that hears lets the loop in after so long, instead of 5 ms
    server = uvicorn.Server(
        uvicorn.Config(
            standing_alone(made),
            http="httptools",
            ws="websockets-sansio",
            ws_per_message_deflate=False,  # sound in base64 hardly gets shorter, and it took a sixth of the CPU
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=2,
        )
    )
    try:
        with heap.given_back():
            server.run([listener])
    finally:
        listener.close()
        made.close()
