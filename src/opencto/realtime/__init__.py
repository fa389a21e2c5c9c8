"""Realtime voice: minting what a conversation is started with. The audio itself never passes through this server."""
