"""`make docs`: the reference of settings, written from the settings class, so that it cannot say anything else."""

import sys
from pathlib import Path

from opencto.core.setting_values import remedy, variable
from opencto.core.settings import Settings

HEAD = """# Settings

Written by `make docs` from the program; do not edit. A flag of `opencto up` wins over the environment, that over the file
`opencto.env` in the data directory, and that over the default. `opencto config show` says what holds now, and why.

| variable | default | for | values |
|---|---|---|---|
"""


def settings_page() -> str:
    """The page as Markdown."""
    rows = [
        f"| `{variable(info)}` | {_default(info.default)} | {info.description} | {remedy(info)} |"
        for info in Settings.model_fields.values()
    ]
    return HEAD + "\n".join(rows) + "\n"


def _default(value: object) -> str:
    if value is None or value in {"", ()} or isinstance(value, Path):
        return "–"
    return f"`{value}`"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.md").write_text(settings_page(), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
