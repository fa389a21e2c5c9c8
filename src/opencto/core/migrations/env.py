"""Alembic runs this file; the connection and its transaction belong to `opencto.core.migrations.migrate`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
