"""Alembic runs this file; the connection and its transaction belong to `opencto.core.migrations.migrate`."""

from alembic import context

from opencto.core.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,  # for its naming convention: a constraint has the same name in a migration and in the code
    transactional_ddl=True,
)
context.run_migrations()
