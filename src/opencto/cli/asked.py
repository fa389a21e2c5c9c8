"""A secret as an operator hands it in: pasted on a prompt that does not show it, or piped. Never an argument."""

import sys

import typer

MAX_PIPED_BYTES = 4_096


def secret(prompt: str, noun: str) -> str:
    """One word, from the terminal if there is one, else from standard input."""
    if sys.stdin.isatty():
        return typer.prompt(f"{prompt}, not shown", hide_input=True, err=True).strip()  # standard output is the answer
    sent = sys.stdin.buffer.read(MAX_PIPED_BYTES + 1)
    words = sent.decode("utf-8", "replace").split()
    if len(words) != 1 or len(sent) > MAX_PIPED_BYTES:
        raise typer.BadParameter(f"Exactly one {noun} is read from standard input; there were {len(words)} words.")
    return words[0]
