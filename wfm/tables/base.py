"""What all tables share: names of constraints, instants in UTC, words stored as text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlmodel import Field, SQLModel


def _checked(constraint: Any, _table: sa.Table) -> str:
    """Two columns of one table may hold words of the same kind, so the column is named too."""
    columns = [column.name for column in constraint.columns]
    return columns[0] if columns else str(constraint.name)


SQLModel.metadata.naming_convention = {
    "column_or_constraint_name": _checked,
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(column_or_constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(sa.types.TypeDecorator[datetime]):
    """A point in time: aware when written, UTC when read."""

    impl = sa.TIMESTAMP(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"an instant needs a time zone: {value!r}")
        return value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None


def key() -> Any:
    """The row's own number."""
    return Field(default=None, primary_key=True)


def code() -> Any:
    """The name the outside world knows the row by."""
    return Field(unique=True, max_length=120)


def ref(target: str, *, index: bool = True, nullable: bool = False) -> Any:
    """A reference to another table's row."""
    return Field(
        default=None if nullable else ..., foreign_key=target, index=index, nullable=nullable
    )


def instant(*, index: bool = False, nullable: bool = False) -> Any:
    """A column holding a point in time."""
    return Field(default=None if nullable else ..., sa_type=Instant, index=index, nullable=nullable)


def word(kind: type[StrEnum], *, nullable: bool = False, default: Any = ...) -> Any:
    """A column holding one word of `kind`, stored as text with a check."""
    stored = sa.Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=40,
        values_callable=lambda words: [w.value for w in words],
    )
    if nullable and default is ...:
        default = None
    return Field(default=default, sa_type=stored, nullable=nullable)


def among(column: Any, ids: Iterable[int]) -> sa.ColumnElement[bool]:
    """Whether a number is among `ids`: one parameter for any count of them."""
    return sa.type_coerce(column, sa.Integer) == sa.any_(
        sa.literal(list(ids), sa.ARRAY(sa.Integer))
    )


def document(default: Any = dict) -> Any:
    """A column holding a JSON document."""
    return Field(default_factory=default, sa_type=JSONB, nullable=False)


def never_two_at_once(table: str, *same: str) -> ExcludeConstraint:
    """No two rows alike in `same` may be in force on one day (`valid_until` is not included)."""
    return ExcludeConstraint(
        *[(sa.column(name), "=") for name in same],
        (sa.text("daterange(valid_from, valid_until)"), "&&"),
        name=f"ex_{table}_never_two_at_once",
        using="gist",
    )
