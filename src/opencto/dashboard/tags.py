"""The chapters of the API reference, in reading order. A tag that is not here stops the document."""

TAGS: dict[str, str] = {
    "sign-in": "Claim the server, sign in and out, see who is asking, and change your own account.",
    "tokens": "API tokens `octo_…` with scopes and an expiry.",
    "people": "Who has an account, who is in a workspace, and invitations by link.",
    "workspaces": "Workspaces, their members, settings and limits.",
    "limits": "Rate limits and spend caps: what holds, what is used, when it frees.",
    "keys": "OpenAI keys that people bring: saved sealed, shown as hints.",
    "realtime": "Voice: client secrets for a realtime session, and the record of what was said.",
    "openai": "What OpenAI offers and what was used: models, usage, costs.",
    "tools": "What the assistant may do, and doing it through the gate.",
    "voice": "One question, one answer, for kiosks, phones and small computers.",
    "webhooks": "Where chat channels deliver what people write.",
    "events": "Live events for the dashboard.",
    "audit": "Who did what to what, from where; append-only and verifiable.",
    "ledger": "Who used what and what it cost.",
    "health": "Whether the server is up, ready and well.",
    "server": "The server itself: metrics and this document.",
    "pages": "The pages that a browser loads.",
}
