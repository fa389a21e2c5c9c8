"""Completion comes from Typer, for bash, zsh and fish. Its script for zsh needs one more line."""

from typer import _completion_shared

_END = """
# zsh runs this file at the first Tab of a session: without this, that one would only define the function.
[[ $funcstack[1] == _%(prog_name)s ]] && %(complete_func)s "$@"
"""


def mend_zsh() -> None:
    """Let the first Tab complete too."""
    # Private to Typer, which has no other place for it; `tests/cli/test_completion.py` sees when it moves.
    scripts = _completion_shared._completion_scripts  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - see above
    if _END not in scripts["zsh"]:
        scripts["zsh"] += _END
