"""What may go wrong with the machine we stand on, as the callers of any room see it."""

from opencto.core.problems import Unavailable


class DatabaseUnavailable(Unavailable):
    code, title = "DATABASE_UNAVAILABLE", "The database does not answer"

    def __init__(self) -> None:
        super().__init__(
            "The database does not answer. Nothing was saved; try again shortly.", headers={"Retry-After": "2"}
        )


class DatabaseBusy(Unavailable):
    code, title = "DATABASE_BUSY", "The database is busy"

    def __init__(self) -> None:
        super().__init__(
            "Another writer held the database for too long. Nothing was saved; try again.", headers={"Retry-After": "1"}
        )


class StorageFull(Unavailable):
    code, title = "STORAGE_FULL", "The disk is full"

    def __init__(self) -> None:
        super().__init__(
            "The disk of the server is full. Nothing was saved; free some space and try again.",
            headers={"Retry-After": "30"},
        )


class StorageReadOnly(Unavailable):
    code, title = "STORAGE_READ_ONLY", "The disk cannot be written"

    def __init__(self) -> None:
        super().__init__(
            "The server cannot write to its data. Nothing was saved; make the folder writable and try again.",
            headers={"Retry-After": "30"},
        )


class StartError(Exception):
    """Why the server does not start: a sentence with the remedy, for a person at a terminal. `exit_code` as in wire.md."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
