"""row stamps: a keyed digest in every row, and a roll of the rows there should be"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from wfm.stamps import UNSTAMPED

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


STATEMENTS = (
    # which row_stamp fits a row: HMAC-SHA-256 (RFC 2104) of its table and of its content as the
    # server sends it in binary; null in a session that was not given the key (see wfm/stamps.py)
    """
    create function stamp_of(place text, content bytea) returns bytea stable language sql as $$
        select sha256(
            decode(current_setting('tierdesk.outer', true), 'hex') || sha256(
                decode(current_setting('tierdesk.inner', true), 'hex')
                || convert_to(place || ':', 'UTF8') || content
            )
        )
    $$
    """,
    # the columns of a row as its digest reads them: all as they stand, the stamp itself empty
    """
    create function stamped_columns(place text) returns text stable language sql as $$
        select string_agg(
            case attname when 'row_stamp' then 'null::bytea' else quote_ident(attname) end,
            ', ' order by attnum
        )
        from pg_attribute
        where attrelid = place::regclass and attnum > 0 and not attisdropped
    $$
    """,
    # a row somebody else changed is not stamped again by a later change of ours: it stays found
    """
    create function stamp_row() returns trigger language plpgsql as $$
    declare known bytea;
    begin
        new.row_stamp := null;
        if tg_op = 'UPDATE' then
            known := old.row_stamp;
            old.row_stamp := null;
            if known is distinct from stamp_of(tg_table_name, record_send(old)) then
                return new;
            end if;
        end if;
        new.row_stamp := stamp_of(tg_table_name, record_send(new));
        return new;
    end $$
    """,
    """
    create table row_roll (
        id bigint generated always as identity primary key,
        place text not null,
        gone boolean not null,
        ids int8multirange not null,
        row_stamp bytea
    )
    """,
    "create trigger stamp_row before insert or update on row_roll"
    " for each row execute function stamp_row()",
    """
    create function roll_in() returns trigger language plpgsql as $$
    begin
        insert into row_roll (place, gone, ids)
        select tg_table_name, false, range_agg(int8range(id, id, '[]'))
        from new_rows having count(*) > 0;
        return null;
    end $$
    """,
    """
    create function roll_out() returns trigger language plpgsql as $$
    begin
        insert into row_roll (place, gone, ids)
        select tg_table_name, true, range_agg(int8range(id, id, '[]'))
        from old_rows having count(*) > 0;
        return null;
    end $$
    """,
    # one line per table again; lines that are not ours are left where they are found
    """
    create function fold_roll() returns void language sql as $$
        with taken as (
            delete from row_roll r
            where r.row_stamp = stamp_of(
                'row_roll', record_send(row(r.id, r.place, r.gone, r.ids, null::bytea)))
            returning place, gone, ids
        )
        insert into row_roll (place, gone, ids)
        select place, false,
            coalesce(range_agg(ids) filter (where not gone), '{}')
            - coalesce(range_agg(ids) filter (where gone), '{}')
        from taken group by place
    $$
    """,
    # all rows of a table are taken as they are; only its owner can do this
    """
    create function accept_rows(place text) returns bigint language plpgsql as $$
    declare touched bigint;
    begin
        execute format('alter table %I disable trigger user', place);
        execute format('update %I set row_stamp = stamp_of(%L, record_send(row(%s)))',
                       place, place, stamped_columns(place));
        get diagnostics touched = row_count;
        execute format('alter table %I enable trigger user', place);
        delete from row_roll r where r.place = accept_rows.place;
        execute format('insert into row_roll (place, gone, ids) select %L, false,'
                       ' coalesce(range_agg(int8range(id, id, ''[]'')), ''{}'') from %I',
                       place, place);
        return touched;
    end $$
    """,
    """
    create function stamp_table(place text) returns void language plpgsql as $$
    begin
        execute format('alter table %I add column row_stamp bytea', place);
        perform accept_rows(place);
        execute format('create trigger stamp_row before insert or update on %I'
                       ' for each row execute function stamp_row()', place);
        execute format('create trigger roll_in after insert on %I referencing new table as new_rows'
                       ' for each statement execute function roll_in()', place);
        execute format('create trigger roll_out after delete on %I referencing old table as'
                       ' old_rows for each statement execute function roll_out()', place);
    end $$
    """,
)


def _stamped() -> list[str]:
    apart = {"alembic_version", "row_roll", *UNSTAMPED}
    found = sa.inspect(op.get_bind()).get_table_names()
    return sorted(
        name for name in found if name not in apart and not name.startswith("procrastinate_")
    )


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(sa.text(statement.replace(":", r"\:")))
    for table in _stamped():
        op.execute(f"select stamp_table('{table}')")


def downgrade() -> None:
    for table in _stamped():
        for trigger in ("stamp_row", "roll_in", "roll_out"):
            op.execute(f"drop trigger {trigger} on {table}")
        op.execute(f"alter table {table} drop column row_stamp")
    op.execute("drop table row_roll")
    for function in ("stamp_table(text)", "accept_rows(text)", "fold_roll()", "roll_in()",
                     "roll_out()", "stamp_row()", "stamped_columns(text)",
                     "stamp_of(text, bytea)"):  # fmt: skip
        op.execute(f"drop function {function}")
