"""The report card of a key: from what two reads said to sentences for the person who saved it."""

from opencto.core.clock import Clock
from opencto.core.secret import Secret
from opencto.providers.answers import KeyKind, KeyReport, ModelList
from opencto.providers.errors import ProviderKeyRejected

ADMIN_PREFIX = "sk-admin-"
REALTIME_PREFIX = "gpt-realtime"


def admin_probe_start(clock: Clock) -> int:
    """The start of the day before, in unix seconds: the smallest question an admin key can answer."""
    return int(clock.now().timestamp()) // 86_400 * 86_400 - 86_400


def report_of(key: Secret, found: ModelList | ProviderKeyRejected, *, reaches_organization: bool) -> KeyReport:
    """What the answers mean. A key that reaches the organization is an admin key, whatever it is called."""
    if isinstance(found, ModelList):
        return _of_models(found, reaches_organization=reaches_organization)
    looks_admin = key.reveal().startswith(ADMIN_PREFIX)
    kind: KeyKind = "admin" if reaches_organization or looks_admin else "unknown"
    if reaches_organization:
        return KeyReport(True, kind, None, None, None, None, (), found.upstream)
    if found.cause == "missing_scopes":
        scope = "api.usage.read" if looks_admin else "api.model.read"
        sentence = f"The key is real, but lacks the permission {scope}, so what it reaches is not known."
        return KeyReport(True, kind, None, None, None, None, (sentence,), found.upstream)
    return KeyReport(False, kind, None, None, None, None, (found.detail,), found.upstream)


def _of_models(found: ModelList, *, reaches_organization: bool) -> KeyReport:
    realtime = any(model.id.startswith(REALTIME_PREFIX) for model in found.models)
    problems: list[str] = []
    if not found.models:
        problems.append("The key reaches no model at all. Its project may not allow any.")
    elif not realtime:
        problems.append("The key reaches no realtime model, so voice sessions will not work with it.")
    if reaches_organization:
        problems.append("The key also reads the usage of the whole organization. Use one with fewer permissions.")
    return KeyReport(
        True,
        "admin" if reaches_organization else "inference",
        len(found.models),
        realtime,
        found.organization,
        found.project,
        tuple(problems),
        found.upstream,
    )
