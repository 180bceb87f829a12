"""job parts: work that several workers do side by side"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_part",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_part_job_id_job")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_part")),
        sa.UniqueConstraint("job_id", "number", name=op.f("uq_job_part_job_id_number")),
    )
    op.execute("select stamp_table('job_part')")


def downgrade() -> None:
    op.drop_table("job_part")
