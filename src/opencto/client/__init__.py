"""The Python SDK: a typed client for a running server. Light: it needs none of the server's packages.

from opencto import OpenCTO, AsyncOpenCTO
"""

from opencto.client.client import AsyncOpenCTO, OpenCTO
from opencto.client.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadAnswerError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    OpenCTOError,
    RateLimitedError,
    ServerError,
    SpendCapReachedError,
)
from opencto.client.sending import NOT_GIVEN, NotGiven

__all__ = [
    "NOT_GIVEN",
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncOpenCTO",
    "AuthenticationError",
    "BadAnswerError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "ForbiddenError",
    "InvalidArgumentError",
    "NotFoundError",
    "NotGiven",
    "OpenCTO",
    "OpenCTOError",
    "RateLimitedError",
    "ServerError",
    "SpendCapReachedError",
]
