"""A check for the generated requests: a 5xx is a defect, unless it truly tells of OpenAI, whose refusals are 502 and 504."""

from typing import Any

import schemathesis


@schemathesis.check
def no_server_error_of_ours(_context: Any, response: Any, _case: Any) -> None:
    """Generated keys are saved like any other, and OpenAI (here the sandbox) refuses them."""
    if response.status_code >= 500:
        told = response.json()
        assert response.status_code in {502, 504}, told
        assert told.get("origin") == "openai", told
