"""Words that every surface shares when it speaks of OpenAI."""

from typing import Literal

KeySource = Literal["user", "workspace", "server", "sandbox", "none"]
"""Whose key served a call: the caller's, the workspace's, the server's, the local sandbox's, or none (a keyless server)."""
