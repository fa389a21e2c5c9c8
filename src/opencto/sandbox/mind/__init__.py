"""What the sandbox answers. It does not pretend to think: it routes to the caller's own tools and tells what they gave back.

`LocalMind` is the one mind behind Chat, Responses and Realtime, so that whatever it learns is learnt everywhere at once.
"""

from opencto.sandbox.mind.local import LocalMind
from opencto.sandbox.mind.scripts import ADD_A_KEY, NAME

__all__ = ["ADD_A_KEY", "NAME", "LocalMind"]
