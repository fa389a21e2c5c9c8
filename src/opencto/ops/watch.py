"""Which models our own settings use, and when they end: for the answer, the log and the metrics."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from opencto.core.clock import Clock
from opencto.core.database import Database
from opencto.core.setting_values import variable
from opencto.core.settings import Settings
from opencto.identity.workspaces import settings_from
from opencto.ops.families import families
from opencto.telemetry import log
from opencto.wire.identity import WorkspaceSettings
from opencto.wire.models import ListedModel, ModelInUse, ModelWarning

WARN_DAYS = 60
MOST_KNOWN = 10_000
WORKSPACES = "workspaces"
"""The metric's word for every setting of a workspace: which one it is, the log says."""
_FIELDS = ("voice_model", "triage_model", "agent_model", "embed_model", "realtime_model", "transcription_model")
_ALL_SETTINGS = "SELECT id, settings, settings_updated_at FROM workspaces ORDER BY id"


@dataclass(frozen=True, slots=True)
class Use:
    """One setting and a model that it names."""

    setting: str
    model: str


class ModelWatch:
    """Knows the ends of models: OpenAI's word where a list was read in this process, else the announced dates."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._server = tuple(Use(variable(Settings.model_fields[name]), getattr(settings, name)) for name in _FIELDS)
        self._database = database
        self._clock = clock
        self._told: dict[str, date] = {}
        self._workspaces: dict[str, tuple[Use, ...]] = {}
        self._logged_on: date | None = None

    def uses(self, workspace: WorkspaceSettings) -> list[Use]:
        """What the server and this workspace name."""
        return [*self._server, *_named(workspace)]

    def learn(self, models: Iterable[ListedModel]) -> None:
        """The ends that a list tells of."""
        if len(self._told) > MOST_KNOWN:
            self._told.clear()
        self._told.update({one.id: one.shutdown_date for one in models if one.shutdown_date is not None})

    def ends(self, model: str) -> date | None:
        """The day from which a model no longer answers, None when none is known."""
        return self._told.get(model) or families().shutdown_of(model)

    def warnings(self, uses: Iterable[ModelInUse]) -> list[ModelWarning]:
        """Of those that end within 60 days, or have ended; the most urgent first."""
        found = [self._warning(use.setting, use.model, use.shutdown_date) for use in uses]
        return sorted((one for one in found if one is not None), key=lambda one: (one.days_left, one.setting))

    def days_left(self) -> dict[str, int]:
        """For the metric: by setting, the days until the first of its models ends. Settings without a known end are left out."""
        found: dict[str, int] = {}
        everybody = [Use(WORKSPACES, use.model) for uses in self._workspaces.values() for use in uses]
        for use in (*self._server, *everybody):
            end = self.ends(use.model)
            if end is not None:
                days = (end - self._today).days
                found[use.setting] = min(days, found.get(use.setting, days))
        return found

    def round(self) -> None:
        """The chore: read what the workspaces name, and log every dying model once a day."""
        rows = self._database.fetch_now(_ALL_SETTINGS, {})
        self._workspaces = {one: tuple(_named(settings_from(text, updated_at))) for one, text, updated_at in rows}
        if self._logged_on == self._today:
            return
        self._logged_on = self._today
        self._log(None, self._server)
        for workspace_id, uses in self._workspaces.items():
            self._log(workspace_id, uses)

    @property
    def _today(self) -> date:
        return self._clock.now().date()

    def _log(self, workspace_id: str | None, uses: Sequence[Use]) -> None:
        for use in uses:
            warning = self._warning(use.setting, use.model, self.ends(use.model))
            if warning is not None:
                log.get("ops").warning(
                    "model_shuts_down",
                    setting=use.setting,
                    model=use.model,
                    shutdown_date=warning.shutdown_date.isoformat(),
                    days_left=warning.days_left,
                    workspace_id=workspace_id,
                )

    def _warning(self, setting: str, model: str, end: date | None) -> ModelWarning | None:
        if end is None:
            return None
        days = (end - self._today).days
        if days > WARN_DAYS:
            return None
        is_gone = days <= 0
        told = f"ended on {end}" if is_gone else f"ends on {end}, in {days} day{'' if days == 1 else 's'}"
        return ModelWarning(
            code="MODEL_SHUT_DOWN" if is_gone else "MODEL_SHUTS_DOWN",
            setting=setting,
            model=model,
            shutdown_date=end,
            days_left=days,
            message=f"{model} {told}. Choose another model in {setting}.",
        )


def _named(workspace: WorkspaceSettings) -> list[Use]:
    return [
        *(Use("realtimeModels", model) for model in workspace.realtime_models),
        *(Use("chatModels", model) for model in workspace.chat_models),
    ]
