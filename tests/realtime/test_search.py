"""Search in records: the index is for the very expression that the query asks by."""

from sqlalchemy import text

from opencto.core.database import Database
from opencto.realtime import search


def test_the_database_answers_from_its_index(database: Database) -> None:
    if database.is_sqlite:
        with database.read() as tx:
            plan = " ".join(
                str(row)
                for row in tx.execute(text(f"EXPLAIN QUERY PLAN {search.IN_SQLITE}").bindparams(words='"payments"'))
            )
        assert "VIRTUAL TABLE INDEX" in plan
        return
    with database.write() as tx:
        tx.execute(text("SET LOCAL enable_seqscan = off"))
        question = text(f"EXPLAIN {search.IN_POSTGRES}").bindparams(words="payments rollback", within="ws_nothing")
        plan = "\n".join(row[0] for row in tx.execute(question))
    assert "Bitmap Index Scan on voice_words" in plan
