"""The Responses API: whole and streamed, kept for thirty days and chained."""
