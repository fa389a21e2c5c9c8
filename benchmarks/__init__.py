"""How fast OpenCTO is, measured against something real. `make bench` runs it; see `__main__.py`."""
