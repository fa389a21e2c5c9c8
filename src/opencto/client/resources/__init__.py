"""The routes, by what they are about. Each is described once; `endpoints.py` makes both clients of it."""
