"""OpenAI in operation: which models there are, what was used and what it cost."""

from datetime import date

from opencto.client.endpoints import Resource, RunT, call, streamed
from opencto.client.sending import Route, Sent, sending
from opencto.client.streams import Bytes
from opencto.wire.models import Capability, ModelCatalogue
from opencto.wire.usage import GroupBy, RowsOf, UsageReport

USAGE = Route("GET", "/api/v1/cto/openai/usage")


class Models(Resource[RunT]):
    """What your key reaches."""

    @call(Route("GET", "/api/v1/cto/openai/models"), ModelCatalogue)
    def list(
        self,
        *,
        capability: Capability | None = None,
        q: str | None = None,
        sort: str | None = None,
        workspace_id: str | None = None,
    ) -> Sent:
        """The models, those that our settings use, and which of them end soon. At most a few minutes old, or `stale`.

        `q` is a text in the id, `sort` such as `shutdownDate`, the next to end first.
        """
        asked = {"capability": capability, "q": q, "sort": sort}
        return sending(query={**asked, "workspaceId": self._workspace(workspace_id)})


class Usage(Resource[RunT]):
    """Usage and costs by UTC day: OpenAI's own figures where there is an admin key, else our ledger's."""

    @call(USAGE, UsageReport)
    def get(
        self,
        *,
        start: date | str | None = None,
        end: date | str | None = None,
        group_by: GroupBy = "day",
        sort: str | None = None,
        workspace_id: str | None = None,
    ) -> Sent:
        """Both days included, at most 180; without `start` the 30 days up to `end`, without `end` up to today.

        `sort`: what the groups are sorted by, or the days where `group_by` is `day`, such as `-cost`.
        """
        return sending(query={**self._asked(start, end, group_by, sort, workspace_id), "format": "json"})

    @streamed(USAGE, lambda: Bytes, "text/csv")
    def export(
        self,
        *,
        start: date | str | None = None,
        end: date | str | None = None,
        group_by: GroupBy = "day",
        sort: str | None = None,
        rows_of: RowsOf = "day",
        workspace_id: str | None = None,
    ) -> Sent:
        """The same as CSV, in pieces of bytes: a row for each day or each group of it, or with `range` for those of all days."""
        asked = self._asked(start, end, group_by, sort, workspace_id)
        return sending(query={**asked, "format": "csv", "rowsOf": rows_of})

    def _asked(
        self,
        start: date | str | None,
        end: date | str | None,
        group_by: GroupBy,
        sort: str | None,
        workspace_id: str | None,
    ) -> dict[str, object]:
        asked = {"start": start, "end": end, "groupBy": group_by, "sort": sort}
        return {**asked, "workspaceId": self._workspace(workspace_id)}
