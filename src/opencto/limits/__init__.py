"""How often and for how much: rate-limit buckets per person and workspace, and a spend cap per workspace and month."""
