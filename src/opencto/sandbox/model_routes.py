"""GET /v1/models and GET /v1/models/{id}."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from opencto.core.clock import Clock
from opencto.sandbox import catalogue
from opencto.sandbox.errors import ApiError
from opencto.sandbox.keys import Doorkeeper


class ModelRoutes:
    def __init__(self, doorkeeper: Doorkeeper, clock: Clock) -> None:
        self._doorkeeper = doorkeeper
        self._clock = clock

    async def list(self, request: Request) -> JSONResponse:
        key = self._doorkeeper.inference(request, "api.model.read")
        models = catalogue.alive(self._clock.now().date())
        return JSONResponse({"object": "list", "data": [model.wire() for model in models if key.allows(model)]})

    async def get(self, request: Request) -> JSONResponse:
        key = self._doorkeeper.inference(request, "api.model.read")
        name: str = request.path_params["model"]
        model = catalogue.find(name, self._clock.now().date())
        if model is None or not key.allows(model):
            raise ApiError(404, f"The model '{name}' does not exist", param="model", code="model_not_found")
        return JSONResponse(model.wire())
