"""The ears of the sandbox: Whisper for words, Silero for whether someone speaks, and where a turn ends."""
