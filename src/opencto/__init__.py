"""OpenCTO: one assistant on OpenAI for an engineering team, self-hosted.

from opencto import OpenCTO, AsyncOpenCTO  # the SDK; loaded when it is first asked for
"""

TYPE_CHECKING = False  # type checkers know it by its name; importing `typing` for it would cost milliseconds
if TYPE_CHECKING:
    from opencto.client import AsyncOpenCTO, OpenCTO, OpenCTOError

__version__ = "0.1.0"
__all__ = ["AsyncOpenCTO", "OpenCTO", "OpenCTOError", "__version__"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from opencto import client

    return getattr(client, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
