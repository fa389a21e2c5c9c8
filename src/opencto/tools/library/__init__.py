"""Tools that serve no capability of their own."""
