"""POST /v1/audio/transcriptions: a file of speech in, its words out, by the same ears that hear Realtime sessions."""
