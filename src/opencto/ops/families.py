"""What is known of models by their id: capabilities and announced ends. The knowledge is data, `families.toml`."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, cast, get_args

from opencto.wire.models import Capability

_BORDERS = ("", "-", ".", ":")


@dataclass(frozen=True, slots=True)
class Families:
    """The data file, checked. `as_of` is the day it speaks of."""

    as_of: date
    capabilities: dict[str, tuple[Capability, ...]]
    shutdown: dict[str, date]

    def capabilities_of(self, model: str) -> tuple[Capability, ...]:
        """Empty for a family that the file does not know."""
        name = model.removeprefix("ft:")
        fitting = [start for start in self.capabilities if name.startswith(start) and _ends(name, start)]
        return self.capabilities[max(fitting, key=len)] if fitting else ()

    def shutdown_of(self, model: str) -> date | None:
        """The announced end of exactly this id."""
        return self.shutdown.get(model)


def _ends(name: str, start: str) -> bool:
    return name[len(start) : len(start) + 1] in _BORDERS


@cache
def families() -> Families:
    """Read once. Raises ValueError for a capability that the wire does not have."""
    read = tomllib.loads(files("opencto.ops").joinpath("families.toml").read_text("utf-8"))
    known = set(get_args(Capability))
    found = cast("dict[str, list[Any]]", read["capabilities"])
    unknown = {one for many in found.values() for one in many} - known
    if unknown:
        raise ValueError(f"families.toml: no such capability: {', '.join(sorted(unknown))}")
    return Families(read["as_of"], {name: tuple(many) for name, many in found.items()}, read["shutdown"])
