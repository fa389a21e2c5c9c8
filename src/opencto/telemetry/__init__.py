"""Logs, metrics and traces; their names and labels in one place."""
