"""`opencto talk`: a conversation by voice or in writing, for people at a terminal and for scripts."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from opencto.cli.context import AsJson, DataDir
from opencto.cli.options import Workspace

app = typer.Typer(rich_markup_mode="rich")


@app.command(
    epilog="[cyan]opencto talk[/]  with microphone and speaker\n\n"
    "[cyan]opencto talk --text[/]  in writing; it reads lines from standard input too\n\n"
    "[cyan]opencto talk --in question.wav --out answer.wav --json[/]  for scripts\n\n"
    "Keys: i interrupts, g goes on with an answer that was cut short, m mutes, space talks (with --ptt), q ends.\n\n"
    "What the assistant wants to change is shown and waits: y approves it, n declines, and the talk goes on meanwhile "
    "(with --text: alone on a line).\n\n"
    "On speakers the microphone is silent while the answer plays (half duplex), because nothing here cancels the echo: "
    "interrupt with i. With --headphones it hears on, and you interrupt by speaking.\n\n"
    "Exit code 1: it failed or there was no answer. 4: no server answers. 5: it refuses you.",
)
def talk(
    text: Annotated[bool, typer.Option("--text", help="Write instead of speaking.")] = False,
    said: Annotated[
        Path | None,
        typer.Option("--in", help="Speak this WAV file (16-bit PCM) instead of a microphone.", show_default=False),
    ] = None,
    heard: Annotated[
        Path | None,
        typer.Option("--out", help="Write what is heard into this WAV file instead of playing it.", show_default=False),
    ] = None,
    headphones: Annotated[
        bool, typer.Option("--headphones", help="Full duplex: the microphone hears on while the answer plays.")
    ] = False,
    ptt: Annotated[
        bool, typer.Option("--ptt", help="Push to talk: hold space, or tap it to begin and to end.")
    ] = False,
    microphone: Annotated[
        str | None, typer.Option("--microphone", help="Number or part of the name.", show_default=False)
    ] = None,
    speaker: Annotated[
        str | None, typer.Option("--speaker", help="Number or part of the name.", show_default=False)
    ] = None,
    devices: Annotated[bool, typer.Option("--devices", help="List microphones and speakers, and end.")] = False,
    model: Annotated[str | None, typer.Option(help="Another model than the workspace's.", show_default=False)] = None,
    voice: Annotated[str | None, typer.Option(help="Another voice.", show_default=False)] = None,
    fill: Annotated[
        bool,
        typer.Option("--fill/--no-fill", help="Say a sentence while a tool takes long, so that the line is not dead."),
    ] = True,
    go_on: Annotated[
        bool,
        typer.Option("--go-on", help="Go on by itself with an answer that a noise cut short: a cough, a door."),
    ] = False,
    turns: Annotated[
        Literal["semantic", "server"] | None,
        typer.Option(help="How the end of your turn is found: by meaning, or by silence.", show_default=False),
    ] = None,
    patience: Annotated[float, typer.Option(help="Seconds that a script waits for an answer.", min=1)] = 60.0,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Talk with the assistant. Both sides are written along; cost and latency are told at the end."""
    if devices:
        from opencto.cli.talk_sound import list_devices

        list_devices(as_json=as_json)
        return
    from opencto.cli.talk_plan import Plan
    from opencto.cli.talk_run import run

    plan = Plan(
        is_written=text,
        said=said,
        heard=heard,
        has_headphones=headphones,
        is_push_to_talk=ptt,
        microphone=microphone,
        speaker=speaker,
        model=model,
        voice=voice,
        turns=turns,
        fills_waits=fill,
        goes_on_after_noise=go_on,
        patience_seconds=patience,
        workspace=workspace,
        data_dir=data_dir,
        is_json=as_json,
    )
    plan.check()
    raise typer.Exit(asyncio.run(run(plan)))
