"""From what the audit trail holds to what the wire and the command line show."""

import json
from typing import Any

from opencto.core.clock import from_millis
from opencto.ledger.chain import COLUMNS, Row
from opencto.ledger.verify import Verification
from opencto.wire.audit import AuditBreak, AuditHead, AuditPage, AuditRow, AuditVerification


def row(stored: Row) -> AuditRow:
    """One row for a reader. Details that somebody damaged are shown as the text they are."""
    values: dict[str, Any] = {name: getattr(stored, name) for name in COLUMNS}
    try:
        details = json.loads(stored.details)
    except ValueError:
        details = None
    values["details"] = details if isinstance(details, dict) else {"damaged": stored.details}
    values["at"] = from_millis(stored.at)
    return AuditRow.model_validate(values)


def page(found: list[Row], limit: int) -> AuditPage:
    """`found` holds one row more than `limit` when there is a next page."""
    shown = found[:limit]
    return AuditPage(data=[row(one) for one in shown], next_cursor=str(shown[-1].seq) if len(found) > limit else None)


def verification(result: Verification) -> AuditVerification:
    breaks = [AuditBreak(kind=one.kind, seq=one.seq, message=one.message) for one in result.breaks]
    head = result.head
    return AuditVerification(
        ok=result.ok,
        rows=result.rows,
        first_break=breaks[0] if breaks else None,
        breaks=breaks,
        head=AuditHead(seq=head.seq, hash=head.hash, signature=head.signature) if head else None,
        public_key=result.public_key,
        dropped_rows=result.dropped_rows,
        anchors=result.anchors,
        unreadable_anchor_lines=list(result.unreadable_anchor_lines),
    )
