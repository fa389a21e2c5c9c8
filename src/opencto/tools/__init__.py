"""What the assistant may do: the contract of a tool, the registry, and the one gate that decides whether it runs."""
