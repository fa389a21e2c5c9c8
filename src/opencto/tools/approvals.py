"""A person's yes or no, and what follows from it.

    pending → denied | expired | approved → (the intent is written) → used | failed
A decision is a row. Whoever finds one that was approved and not begun runs it: the request that decided, or, after a crash,
the chore. The intent is written before the tool runs and only one gets to write it, so nothing runs twice; an intent
without an end is answered OUTCOME_UNKNOWN and left to people.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from opencto.core.clock import Clock, from_millis, millis, moment_or_none
from opencto.core.database import Database
from opencto.core.ids import new_id
from opencto.core.problems import Forbidden, NotFound, Problem
from opencto.identity import members_repository
from opencto.identity.caller import Belongs, Caller, Origin, WorkspaceCaller
from opencto.identity.paging import AnyRow, Asked
from opencto.identity.ports import AuditEvent, AuditTrail
from opencto.telemetry import log
from opencto.telemetry.scrub import scrub
from opencto.tools import approvals_repository as repository
from opencto.tools.contract import Tool
from opencto.tools.errors import ApprovalDecided, ApprovalExpired, PreconditionChanged, ToolNotFound
from opencto.tools.gate import (
    GRACE_SECONDS,
    KEPT_DAYS,
    Refused,
    binding_text,
    bounded,
    checked,
    cleaned,
    plan_within,
    run_within,
)
from opencto.tools.registry import Registry
from opencto.wire.approvals import Approval, ApprovalDecision, ApprovalState
from opencto.wire.base import Page
from opencto.wire.identity import Role, Scope

RUN_MILLIS = 60_000
"""How long after its end a yes that was given in time still begins: a server that comes back after a day does nothing."""
_AGREES: dict[str, tuple[ApprovalState, ...]] = {"approve": ("approved", "used", "failed"), "deny": ("denied",)}
_CHANGED = "Things are not as they were when this was asked for, so nothing was done. Ask the assistant again."


class Approvals:
    """One per application."""

    def __init__(
        self,
        registry: Registry,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        fingerprint: Callable[[str], bytes],
    ) -> None:
        self._registry = registry
        self._database = database
        self._clock = clock
        self._audit = audit
        self._fingerprint = fingerprint

    def list(self, who: WorkspaceCaller, asked: Asked, state: ApprovalState | None) -> Page[Approval]:
        """All of the workspace for its admins, for others what they asked for."""
        person_id = None if who.role.at_least(Role.ADMIN) else who.person_id
        with self._database.read() as tx:
            rows, cursor = repository.list_of(tx, who.workspace_id, asked, state=state, person_id=person_id)
        return Page(data=[_shown(row, who) for row in rows], next_cursor=cursor)

    def get(self, who: WorkspaceCaller, approval_id: str) -> Approval:
        """Raises NotFound, and Forbidden for what somebody else asked for."""
        with self._database.read() as tx:
            row = repository.find(tx, who.workspace_id, approval_id)
        if row is None:
            raise NotFound
        if row.person_id != who.person_id and not who.role.at_least(Role(row.approver_role)):
            raise Forbidden(f"Somebody else asked for this; seeing it needs the role {row.approver_role}.")
        return _shown(row, who)

    async def decide(self, who: WorkspaceCaller, approval_id: str, body: ApprovalDecision) -> Approval:
        """Write the decision down, then run what was approved.

        Raises NotFound, Forbidden, ApprovalDecided, ApprovalExpired and PreconditionChanged.
        """
        await asyncio.to_thread(self._decide, who, approval_id, body)
        if body.decision == "approve":
            await self.run(who.workspace_id, approval_id)
        found = await asyncio.to_thread(self.get, who, approval_id)
        if found.code == PreconditionChanged.code:
            raise PreconditionChanged(_CHANGED)
        return found

    def _decide(self, who: WorkspaceCaller, approval_id: str, body: ApprovalDecision) -> None:
        now = self._now()
        with self._database.write() as tx:
            row = repository.find(tx, who.workspace_id, approval_id, hold=True)
            if row is None:
                raise NotFound
            self._check_right(tx, who, Role(row.approver_role))
            if row.state in _AGREES[body.decision]:
                return
            is_late = row.state == "expired" or (row.state == "pending" and row.expires_at <= now)
            if row.state == "pending" and is_late:
                self._expire(tx, row, now)
            elif row.state == "pending":
                state = "approved" if body.decision == "approve" else "denied"
                ended_at = None if state == "approved" else now
                repository.decide(
                    tx,
                    approval_id,
                    state,
                    decided_at=now,
                    decided_by=who.person_id,
                    decided_by_name=who.caller.person_name,
                    reason=None if body.reason is None else scrub(body.reason),
                    ended_at=ended_at,
                )
                self._record(tx, who.caller, row, f"approval.{state}")
        if is_late:
            raise ApprovalExpired  # after the commit: that it ran out is on the record
        if row.state != "pending":
            raise ApprovalDecided(f"{row.decided_by_name} decided on this already: it is {row.state}.")

    def _check_right(self, tx: Connection, who: WorkspaceCaller, needed: Role) -> None:
        role = members_repository.active_role(tx, who.workspace_id, who.person_id)
        if role is None or not role.at_least(needed):
            raise Forbidden(f"Deciding on this needs the role {needed.value} in the workspace.")

    async def sweep(self) -> None:
        """Go on with what a dead process left: run what was approved, give up what nobody knows the end of, let run out."""
        for row in await asyncio.to_thread(self._due):
            await self.run(row.workspace_id, row.id)

    def _due(self) -> "list[AnyRow]":
        now, unbegun = self._now(), list[AnyRow]()
        with self._database.write() as tx:
            for row in repository.due(tx, now):
                if row.state == "pending":
                    self._expire(tx, row, now)
                elif row.run_deadline_at is None:
                    unbegun.append(row)
                else:
                    said = "The server stopped while this ran, and nobody knows whether it took effect. Look before you ask again."
                    self._end(tx, row, None, "failed", code="OUTCOME_UNKNOWN", error=said)
        return unbegun

    async def run(self, workspace_id: str, approval_id: str) -> None:
        """Run what was approved, unless somebody does or did."""
        begun = await asyncio.to_thread(self._begin, workspace_id, approval_id)
        if begun is None:
            return
        row, who, tool = begun
        try:
            output = await self._attempt(row, who, tool)
        except Refused as refused:
            values = {"code": refused.code, "error": refused.said}
        except Problem as problem:
            values = {"code": problem.code, "error": scrub(problem.detail)}
        except Exception as error:  # noqa: BLE001 - the edge: whatever a tool does, its end is written down
            log.get("tools").error("tool_failed_unexpectedly", tool=tool.name, exc_info=error)
            values = {"code": "UNEXPECTED", "error": "The tool met an unexpected error. The log has the details."}
        else:
            await asyncio.to_thread(self._ended, row, who, "used", {"output": json.dumps(output)})
            return
        await asyncio.to_thread(self._ended, row, who, "failed", values)

    def _begin(self, workspace_id: str, approval_id: str) -> tuple[AnyRow, WorkspaceCaller, Tool[Any]] | None:
        with self._database.write() as tx:
            row = repository.find(tx, workspace_id, approval_id)
            if row is None or row.state != "approved" or row.run_deadline_at is not None:
                return None
            who = self._approver(tx, row)
            if who is None:
                self._end(
                    tx, row, None, "failed", code="APPROVER_LEFT", error="Who approved this may not do so any more."
                )
                return None
            try:
                tool = self._registry.named(row.tool)
            except ToolNotFound as gone:
                self._end(tx, row, who, "failed", code=gone.code, error=gone.detail)
                return None
            asker = members_repository.active_role(tx, row.workspace_id, row.person_id)
            if asker is None or not asker.at_least(tool.role):
                said = "Who asked for this may not do so any more, so nothing was done."
                self._end(tx, row, who, "failed", code="ASKER_LEFT", error=said)
                return None
            if self._now() > row.expires_at + RUN_MILLIS:
                said = "The server was away for too long after this was approved, so nothing was done. Ask the assistant again."
                self._end(tx, row, who, "failed", code=ApprovalExpired.code, error=said)
                return None
            deadline_at = self._now() + int((2 * tool.timeout_seconds + GRACE_SECONDS) * 1000)
            return (row, who, tool) if repository.intend(tx, approval_id, deadline_at) else None

    def _approver(self, tx: Connection, row: AnyRow) -> WorkspaceCaller | None:
        """Who said yes, with the rights they have now."""
        role = members_repository.active_role(tx, row.workspace_id, row.decided_by)
        if role is None or not role.at_least(Role(row.approver_role)):
            return None
        slug = repository.slug_of(tx, row.workspace_id)
        caller = Caller(
            person_id=row.decided_by,
            person_name=row.decided_by_name,
            is_operator=False,
            via="session",
            credential_id=row.id,
            scopes=frozenset({Scope.ALL}),
            token_workspace_id=row.workspace_id,
            memberships=(Belongs(row.workspace_id, slug, role),),
            origin=Origin("approval", row.id, new_id("req")),
        )
        return caller.in_workspace(row.workspace_id, Role(row.approver_role))

    async def _attempt(self, row: AnyRow, who: WorkspaceCaller, tool: Tool[Any]) -> Any:
        """Raises Refused when the yes was given to something else than what would happen."""
        bound = self._fingerprint(binding_text(row.tool, row.workspace_id, row.arguments))
        if bound != bytes(row.binding) or tool.plan is None:
            raise Refused("BINDING_BROKEN", "This is not what was approved, so nothing was done.")
        arguments = checked(tool, json.loads(row.arguments))
        if (await plan_within(tool, who, arguments)).precondition != row.precondition:
            raise Refused(PreconditionChanged.code, _CHANGED)
        return bounded(cleaned(await run_within(tool, who, arguments)))

    def _ended(self, row: AnyRow, who: WorkspaceCaller, state: str, values: dict[str, str]) -> None:
        with self._database.write() as tx:
            self._end(tx, row, who, state, **values)

    def _end(self, tx: Connection, row: AnyRow, who: WorkspaceCaller | None, state: str, **values: str) -> None:
        if repository.end(tx, row.id, state, ended_at=self._now(), **values):
            self._record(tx, who.caller if who else None, row, f"approval.{state}", values.get("code"))

    def _expire(self, tx: Connection, row: AnyRow, now: int) -> None:
        if repository.decide(tx, row.id, "expired", ended_at=now):
            self._record(tx, None, row, "approval.expired")

    def _record(self, tx: Connection, caller: Caller | None, row: AnyRow, action: str, code: str | None = None) -> None:
        details = {"tool": row.tool, "risk": row.risk, "call_id": row.call_id, "asked_by": row.person_id, "code": code}
        if caller is not None:
            event = AuditEvent.by(caller, action, "approval", row.id, workspace_id=row.workspace_id, **details)
        else:
            event = AuditEvent(
                action, "system", None, "approvals", "system", None, "approval", row.id, row.workspace_id, details
            )
        self._audit.record(tx, event)

    def forget_old(self) -> int:
        """Drop what ended and is older than 30 days; how many. The audit trail keeps that it was."""
        with self._database.write() as tx:
            return repository.forget_before(tx, self._now() - KEPT_DAYS * 86_400_000)

    def _now(self) -> int:
        return millis(self._clock.now())


def _shown(row: AnyRow, who: WorkspaceCaller) -> Approval:
    return Approval(
        id=row.id,
        workspace_id=row.workspace_id,
        state=row.state,
        tool=row.tool,
        risk=row.risk,
        arguments=json.loads(row.arguments),  # exactly those that run: the gate lets no secret in
        effect=row.effect,
        approver_role=Role(row.approver_role),
        may_decide=who.role.at_least(Role(row.approver_role)),
        surface=row.surface,
        session_id=row.session_id,
        call_id=row.call_id,
        requested_by=row.person_id,
        requested_by_name=row.person_name,
        created_at=from_millis(row.created_at),
        expires_at=from_millis(row.expires_at),
        decided_at=moment_or_none(row.decided_at),
        decided_by=row.decided_by,
        decided_by_name=row.decided_by_name,
        reason=row.reason,
        ended_at=moment_or_none(row.ended_at),
        output=None if row.output is None else json.loads(row.output),
        error=row.error,
        code=row.code,
    )
