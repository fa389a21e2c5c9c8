"""Conversations by voice and in writing: `client.realtime.connect(...)`. docs/talk.md has the whole of it.

session       the one door of a conversation    options     how it is held
life          its connections, one by one      intake      what comes, and what follows from that
talk          what these two share             updates     what is told to whoever listens
connection    one socket                       reconnect   pauses, fatal codes, replay, renewal
codec         the only file that knows OpenAI's wire
events        what happens, in our words       reducer     conversation and event to conversation, pure
conversation  what was said, as a value        machine     the state, stored
responses     one answer at a time             tools       each call once
approvals     a call that waits for a person
filler        a sentence while a tool takes long       going_on    an answer that was cut short
notes         on what a new connection is not told word for word
capture       from the microphone on           audio/      microphones and speakers
clock         the server's samples and our time
metrics       how quick and how much           records     the record on its way to the server
noting        what goes into that record
"""

from opencto.client.realtime.conversation import Conversation, Item, shown
from opencto.client.realtime.errors import RealtimeError
from opencto.client.realtime.machine import State
from opencto.client.realtime.metrics import Measured
from opencto.client.realtime.options import TalkOptions
from opencto.client.realtime.session import RealtimeSession
from opencto.client.realtime.updates import Update

__all__ = [
    "Conversation",
    "Item",
    "Measured",
    "RealtimeError",
    "RealtimeSession",
    "State",
    "TalkOptions",
    "Update",
    "shown",
]
