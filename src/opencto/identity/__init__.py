"""Who is asking and what they may do: people, workspaces, roles, sessions, API tokens, the first claim, OIDC."""
