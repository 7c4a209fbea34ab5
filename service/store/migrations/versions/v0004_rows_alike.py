"""Rows to look at that have the same text, and are decided together

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:

    with op.batch_alter_table("review_rows") as table:
        table.add_column(sa.Column("alike", sa.Integer(), nullable=True))
        table.add_column(sa.Column("copy_of", sa.Integer(), nullable=True))
    op.create_index("ix_review_rows_alike", "review_rows", ["job_id", "alike", "state"])


def downgrade() -> None:

    op.drop_index("ix_review_rows_alike", "review_rows")
    with op.batch_alter_table("review_rows") as table:
        table.drop_column("copy_of")
        table.drop_column("alike")
