"""What a browser is called: "Firefox on Linux", from what it says of itself. In SQL, so that lists are sorted by it."""

from sqlalchemy import ColumnElement, String, case, func, literal

_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
"""The first that fits: most browsers also say that they are Safari, and phones that they are Linux or a Mac."""

_SHOWN = 60
NAMELESS = "Something without a name"


def browser_name(user_agent: ColumnElement[str]) -> ColumnElement[str]:
    """What is not known is called by the beginning of what it says of itself."""
    browser, system = _first(user_agent, _BROWSERS), _first(user_agent, _SYSTEMS)
    unknown = func.coalesce(func.nullif(func.substr(user_agent, 1, _SHOWN), ""), NAMELESS, type_=String)
    return case((browser == "", unknown), (system == "", browser), else_=browser + literal(" on ") + system)


def _first(user_agent: ColumnElement[str], known: tuple[tuple[str, str], ...]) -> ColumnElement[str]:
    return case(*((user_agent.contains(mark), literal(name)) for mark, name in known), else_=literal(""))
