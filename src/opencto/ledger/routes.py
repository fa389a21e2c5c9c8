"""`/api/v1/audit`: read, export and verify the audit trail."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, StringConstraints

from opencto.core.clock import millis
from opencto.core.describe import fails_with
from opencto.core.problems import Forbidden, NotFound
from opencto.identity import access
from opencto.identity.guard import AskedWorkspace, GuardedRoute, current_caller, within
from opencto.identity.ports import AuditEvent
from opencto.ledger import presenting
from opencto.ledger.audit import EXPORTED, AuditLog, Filters
from opencto.wire.audit import AuditPage, AuditRow, AuditVerification
from opencto.wire.base import Text
from opencto.wire.identity import Id, Role, Scope

router = APIRouter(route_class=GuardedRoute, tags=["audit"])


async def _audit(request: Request) -> AuditLog:
    return request.app.state.audit


async def _filters(
    request: Request,
    workspace_id: AskedWorkspace = None,
    everything: Annotated[
        bool, Query(alias="all", description="Every row of the server, also those of no workspace; operators only.")
    ] = False,
    action: Annotated[
        Annotated[Text, StringConstraints(max_length=100)] | None, Query(description="Exactly this action.")
    ] = None,
    actor_id: Annotated[Id | None, Query(alias="actorId", description="Who did it.")] = None,
    target_id: Annotated[
        Annotated[Text, StringConstraints(max_length=200)] | None,
        Query(alias="targetId", description="What it was done to."),
    ] = None,
    from_at: Annotated[
        AwareDatetime | None, Query(alias="from", description="From this time on (RFC 3339 with a zone).")
    ] = None,
    to_at: Annotated[
        AwareDatetime | None, Query(alias="to", description="Before this time (RFC 3339 with a zone).")
    ] = None,
) -> Filters:
    if everything:
        _require_operator(request)
        workspace = None
    else:
        workspace = within(request, workspace_id).workspace_id
    return Filters(workspace, action, actor_id, target_id, _at(from_at), _at(to_at))


def _require_operator(request: Request) -> None:
    if not _runs_the_server(request):
        raise Forbidden("Only the people who run this server see every row, and not with a token of one workspace.")


def _runs_the_server(request: Request) -> bool:
    caller = current_caller(request)
    return caller.is_operator and caller.token_workspace_id is None


def _at(moment: datetime | None) -> int | None:
    return None if moment is None else millis(moment)


Audit = Annotated[AuditLog, Depends(_audit)]
Asked = Annotated[Filters, Depends(_filters)]


@router.get("/api/v1/audit")
@access.in_workspace(Role.ADMIN, Scope.AUDIT_READ)
def list_audit(
    audit: Audit,
    filters: Asked,
    cursor: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")] | None,
        Query(description="`nextCursor` of the page before."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    sort: Annotated[
        Literal["at", "-at"], Query(description="Oldest first or newest first, as the trail is chained.")
    ] = "-at",
) -> AuditPage:
    """What was done, newest first unless `sort` turns it."""
    beyond = None if cursor is None else int(cursor)
    found = audit.list(filters, beyond=beyond, limit=limit + 1, oldest_first=sort == "at")
    return presenting.page(found, limit)


@router.get(
    "/api/v1/audit/export",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The rows, oldest first. JSONL verifies with `opencto audit verify --file` or docs/audit.md.",
            "content": {
                "application/jsonl": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        },
    },
)
@access.in_workspace(Role.ADMIN, Scope.AUDIT_READ)
def export_audit(
    request: Request,
    audit: Audit,
    filters: Asked,
    file_format: Annotated[Literal["jsonl", "csv"], Query(alias="format")] = "jsonl",
) -> StreamingResponse:
    """The rows as a file, streamed. That you took them is a row too, and in the file where no filter leaves it out."""
    caller, about = current_caller(request), filters.named()
    audit.note(
        AuditEvent.by(caller, EXPORTED, "audit", None, workspace_id=filters.workspace_id, format=file_format, **about)
    )
    lines = audit.export_csv(filters) if file_format == "csv" else audit.export_jsonl(filters)
    media_type = "text/csv; charset=utf-8" if file_format == "csv" else "application/jsonl"
    name = f'attachment; filename="opencto-audit.{file_format}"'
    return StreamingResponse(lines, media_type=media_type, headers={"Content-Disposition": name})


@router.get("/api/v1/audit/{seq}", responses=fails_with(NotFound))
@access.in_workspace(Role.ADMIN, Scope.AUDIT_READ)
def get_event(
    request: Request, audit: Audit, seq: Annotated[int, Path(ge=1, lt=2**63, description="The `seq` of the row.")]
) -> AuditRow:
    """One row by its number, however old. Operators see every row; others those of workspaces whose admins they are."""
    found = audit.get(seq)
    if found is None:
        raise NotFound
    if not _runs_the_server(request):
        if found.workspace_id is None:
            raise NotFound
        within(request, found.workspace_id)
    return presenting.row(found)


@router.post("/api/v1/audit/verify")
@access.operator(Scope.AUDIT_READ)
def verify_audit(audit: Audit) -> AuditVerification:
    """Check the whole trail: every row, the seals, the signed head, the anchors. Takes seconds per 100,000 rows."""
    return presenting.verification(audit.verify())
