"""`python -m opencto` is `opencto`."""

from opencto.cli import main

main()
