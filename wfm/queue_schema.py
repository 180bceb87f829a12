"""The queue's own tables, kept by Procrastinate beside ours."""

from __future__ import annotations

import sqlalchemy as sa


def ensure_queue_tables(connection: sa.Connection) -> None:
    """Create Procrastinate's tables when they are not there yet."""
    if sa.inspect(connection).has_table("procrastinate_jobs"):
        return
    from procrastinate.schema import SchemaManager

    # the script holds % signs and several statements: hand it to the driver as it is
    raw = connection.connection.driver_connection
    assert raw is not None
    raw.execute(SchemaManager.get_schema().encode())
