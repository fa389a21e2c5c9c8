"""The Realtime WebSocket: a conversation in events, held in memory for as long as its socket is open."""
