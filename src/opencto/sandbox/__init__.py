"""The local sandbox: a server of its own that speaks OpenAI's wire, and says everywhere that it is a sandbox."""
