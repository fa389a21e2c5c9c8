"""The audit trail."""

from sqlalchemy import Connection

from opencto.identity.ports import AuditEvent
from opencto.telemetry import log


class AuditLog:
    """Records events."""

    def record(self, tx: Connection, event: AuditEvent) -> None:
        """Write one event in the transaction of what it tells of."""
        log.get("audit").info(event.action, target=event.target_id, open=not tx.closed)
