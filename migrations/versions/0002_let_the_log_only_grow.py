"""Let the log only grow.

The statements are written out here, as `xueji.trace.triggers` had them at the time, because a revision must go on
meaning what it meant.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEXT_ONLY = {
    "trace_leaf": "NEW.position <> (SELECT COALESCE(MAX(position), -1) + 1 FROM trace_leaf)"
    " OR EXISTS (SELECT 1 FROM trace_leaf WHERE chain = NEW.chain AND n = NEW.n AND log = NEW.log)",
    "trace_tile": "NEW.number <> (SELECT COALESCE(MAX(number), -1) + 1 FROM trace_tile"
    " WHERE log = NEW.log AND level = NEW.level)",
    "trace_checkpoint": "NEW.size <= (SELECT COALESCE(MAX(size), -1) FROM trace_checkpoint WHERE log = NEW.log)",
    "trace_cosignature": "EXISTS (SELECT 1 FROM trace_cosignature"
    " WHERE log = NEW.log AND size = NEW.size AND witness = NEW.witness)",
    "trace_timestamp": "EXISTS (SELECT 1 FROM trace_timestamp"
    " WHERE log = NEW.log AND size = NEW.size AND authority = NEW.authority)",
    "trace_key": "EXISTS (SELECT 1 FROM trace_key WHERE log = NEW.log AND key = NEW.key)",
    "trace_log": "NEW.id <> (SELECT COALESCE(MAX(id), 0) + 1 FROM trace_log)"
    " OR EXISTS (SELECT 1 FROM trace_log WHERE origin = NEW.origin)",
}


def upgrade() -> None:
    put_on = _put_on_sqlite if op.get_bind().dialect.name == "sqlite" else _put_on_postgresql
    for table, misplaced in NEXT_ONLY.items():
        for statement in put_on(table, misplaced):
            op.execute(statement)


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for table in NEXT_ONLY:
        for what in ("update", "delete", "insert") if sqlite else ("change", "truncate", "insert"):
            op.execute(f"DROP TRIGGER {table}_{what}" + ("" if sqlite else f" ON {table}"))
        for what in () if sqlite else ("refuse", "next_only"):
            op.execute(f"DROP FUNCTION {table}_{what}()")


def _put_on_sqlite(name: str, misplaced: str) -> list[str]:
    return [
        f"CREATE TRIGGER {name}_update BEFORE UPDATE ON {name} BEGIN SELECT RAISE(ABORT, '{name} can only grow'); END",
        f"CREATE TRIGGER {name}_delete BEFORE DELETE ON {name} BEGIN SELECT RAISE(ABORT, '{name} can only grow'); END",
        f"CREATE TRIGGER {name}_insert BEFORE INSERT ON {name} WHEN {misplaced} "
        f"BEGIN SELECT RAISE(ABORT, '{name}: this row is not the next'); END",
    ]


def _put_on_postgresql(name: str, misplaced: str) -> list[str]:
    return [
        f"CREATE FUNCTION {name}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{name} can only grow'; END $$",
        f"CREATE FUNCTION {name}_next_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {misplaced} THEN RAISE EXCEPTION '{name}: this row is not the next'; END IF; RETURN NEW; END $$",
        f"CREATE TRIGGER {name}_change BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION {name}_refuse()",
        f"CREATE TRIGGER {name}_truncate BEFORE TRUNCATE ON {name} FOR EACH STATEMENT EXECUTE FUNCTION {name}_refuse()",
        f"CREATE TRIGGER {name}_insert BEFORE INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION {name}_next_only()",
    ]
