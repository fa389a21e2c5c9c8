"""The cyclic garbage collector around a start: off while hundreds of thousands of objects are made that all stay.

A start imports a thousand modules, and every few thousand objects the collector would walk all of them, to find nothing:
a fifth of the time to the first answer. What stands once the server is open is then set aside for good (`gc.freeze`),
so that no later round walks it either and no request waits for that. It is set aside without a last round: that would
take a fifth of a second of the first answer, and what it frees gives the system nothing back.
"""

import gc

YOUNG = 5_000
"""Objects made and not freed until the youngest are looked at; Python's own 700 is meant for small programs."""


def pause() -> None:
    """Before the imports of a start."""
    gc.disable()


def resume() -> None:
    """When the server is open: what is there stays, what comes is collected as usual."""
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
    gc.enable()
