"""The audit trail on the wire."""

from typing import Any, Literal

from pydantic import Field

from opencto.wire.base import Page, Time, Wire


class AuditRow(Wire):
    """One event: who did what to what, from where. `hash` covers all the rest, `prevHash` is that of the row before."""

    seq: int
    id: str
    at: Time
    actor_kind: str = Field(description="person, system or anonymous.")
    actor_id: str | None
    actor_name: str
    via: str = Field(description="session, token, local, cli, system or none.")
    address: str | None
    user_agent: str | None
    request_id: str | None
    action: str = Field(description="A noun and a past verb, such as `token.created`.")
    target_kind: str
    target_id: str | None
    workspace_id: str | None
    details: dict[str, Any]
    prev_hash: str
    hash: str


class AuditPage(Page[AuditRow]):
    """Newest first, or oldest first where that was asked for."""


BreakKind = Literal[
    "row_edited",
    "rows_removed",
    "row_inserted",
    "rows_reordered",
    "rows_rewritten",
    "rows_truncated",
    "head_missing",
    "head_forged",
    "head_replaced",
    "segment_forged",
    "segment_missing",
    "anchor_forged",
    "rolled_back",
]


class AuditBreak(Wire):
    """Where the trail stops being whole."""

    kind: BreakKind
    seq: int | None = Field(description="The row it is about, null when it is about none.")
    message: str


class AuditHead(Wire):
    """The end of the trail, signed (Ed25519, base64)."""

    seq: int
    hash: str
    signature: str


class AuditVerification(Wire):
    """What a check of the whole trail found."""

    ok: bool
    rows: int = Field(description="Rows that were checked and found sound.")
    first_break: AuditBreak | None
    breaks: list[AuditBreak] = Field(
        description="Every break in the order of the trail, at most 50. Behind rows that were renumbered, reordered or rewritten nothing can be judged."
    )
    head: AuditHead | None
    public_key: str = Field(description="Ed25519, base64: what an export is checked with.")
    dropped_rows: int = Field(description="Rows that retention dropped; their sealed ends were checked.")
    anchors: int = Field(description="Anchors outside the database that were compared.")
    unreadable_anchor_lines: list[int]
