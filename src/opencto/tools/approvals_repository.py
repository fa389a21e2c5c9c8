"""The statements of approvals. Those that people reach are narrowed to one workspace; the others serve the chore."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from opencto.identity.paging import AnyRow, AnySelect, Asked, page
from opencto.identity.tables import people, workspaces
from opencto.tools.approval_tables import approvals

_T = approvals.c


def _shown() -> AnySelect:
    return select(*approvals.c, people.c.name.label("person_name")).join_from(approvals, people)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for, as the gate writes it down. `binding` is a keyed hash of tool, workspace and arguments."""

    id: str
    workspace_id: str
    person_id: str
    tool: str
    risk: str
    arguments: str
    binding: bytes
    effect: str
    precondition: str
    approver_role: str
    surface: str
    session_id: str | None
    call_id: str
    created_at: int
    expires_at: int


def add(tx: Connection, request: Request) -> None:
    tx.execute(insert(approvals).values(state="pending", **asdict(request)))


def list_of(
    tx: Connection, workspace_id: str, asked: Asked, *, state: str | None, person_id: str | None
) -> tuple[list[AnyRow], str | None]:
    """Those of a workspace; `person_id`: only what this person asked for."""
    query = _shown().where(_T.workspace_id == workspace_id)
    if state is not None:
        query = query.where(_T.state == state)
    if person_id is not None:
        query = query.where(_T.person_id == person_id)
    return page(tx, query, asked, sorts={"createdAt": _T.created_at}, default="-createdAt", key=_T.id)


def find(tx: Connection, workspace_id: str, approval_id: str, *, hold: bool = False) -> AnyRow | None:
    """`hold`: nobody else decides on it until the transaction ends."""
    query = _shown().where(_T.workspace_id == workspace_id, _T.id == approval_id)
    return tx.execute(query.with_for_update(of=approvals) if hold else query).first()


def decide(tx: Connection, approval_id: str, state: str, **values: Any) -> bool:
    """False: it was decided, or ran out, meanwhile."""
    changed = update(approvals).where(_T.id == approval_id, _T.state == "pending").values(state=state, **values)
    return tx.execute(changed).rowcount == 1


def intend(tx: Connection, approval_id: str, deadline_at: int) -> bool:
    """The right to run it, which exactly one gets."""
    free = update(approvals).where(_T.id == approval_id, _T.state == "approved", _T.run_deadline_at.is_(None))
    return tx.execute(free.values(run_deadline_at=deadline_at)).rowcount == 1


def end(tx: Connection, approval_id: str, state: str, **values: Any) -> bool:
    """How the run went; False when it was given up meanwhile."""
    open_ = update(approvals).where(_T.id == approval_id, _T.state == "approved")
    return tx.execute(open_.values(state=state, **values)).rowcount == 1


def due(tx: Connection, now: int) -> list[AnyRow]:
    """What nobody decided in time, what was approved and did not run, and what was begun and never ended."""
    undecided = (_T.state == "pending") & (_T.expires_at <= now)
    unrun = (_T.state == "approved") & (_T.run_deadline_at.is_(None) | (_T.run_deadline_at <= now))
    return list(tx.execute(_shown().where(undecided | unrun).limit(100)))


def slug_of(tx: Connection, workspace_id: str) -> str:
    return tx.execute(select(workspaces.c.slug).where(workspaces.c.id == workspace_id)).scalar_one()


def forget_before(tx: Connection, created_at: int) -> int:
    """Drop what ended long ago; how many."""
    ended = _T.state.not_in(("pending", "approved"))
    return tx.execute(delete(approvals).where(ended, _T.created_at < created_at)).rowcount
