"""decisions by time: the log pages by time, the desk asks for each agent's last decision"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = "dispatch_decision"


def upgrade() -> None:
    op.create_index("ix_dispatch_decision_at", TABLE, ["at", "id"])
    op.create_index("ix_dispatch_decision_agent_id_at", TABLE, ["agent_id", "at"])
    op.drop_index("ix_dispatch_decision_agent_id", TABLE)


def downgrade() -> None:
    op.create_index("ix_dispatch_decision_agent_id", TABLE, ["agent_id"])
    op.drop_index("ix_dispatch_decision_agent_id_at", TABLE)
    op.drop_index("ix_dispatch_decision_at", TABLE)
