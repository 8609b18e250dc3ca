"""What somebody may take along as her own: decided for every table and column, and opened for nobody else."""

from __future__ import annotations

import pytest
from sqlalchemy import LargeBinary

import xueji.tables  # noqa: F401  every table
from xueji.evidence.own_data import SEALED, owner_of
from xueji.evidence.own_fields import NOT_TAKEN, TAKEN, WHY, LeftOut, readme
from xueji.kernel.database import Base

TABLES = Base.metadata.tables
PERSON = TABLES["person"].c.id
SECRETS = {
    ("person", "wrapped_key"),
    ("account", "password_hash"),
    ("account", "totp_cipher"),
    ("recovery_code", "code_hash"),
    ("reset_request", "half_cipher"),
    ("sitting", "terms"),
    ("check", "nonce"),
}


def test_every_table_is_taken_or_left_out_for_a_reason() -> None:
    assert TAKEN.keys() | NOT_TAKEN.keys() == TABLES.keys()
    assert not TAKEN.keys() & NOT_TAKEN.keys()


@pytest.mark.parametrize("name", sorted(TAKEN))
def test_every_column_of_a_table_of_hers_is_taken_or_left_out_for_a_reason(name: str) -> None:
    taken = TAKEN[name]
    fields = taken.fields.split()
    assert sorted([*fields, *taken.left]) == sorted(TABLES[name].c.keys())


@pytest.mark.parametrize("name", sorted(TAKEN))
def test_rows_are_found_by_whose_they_are(name: str) -> None:
    _joined, column = owner_of(TABLES[name], TAKEN[name])
    assert column is PERSON or {key.column for key in column.foreign_keys} == {PERSON}


def test_what_is_not_hers_has_nobody_s_own_column() -> None:
    """Nothing is called nobody's that names a person or says at a column that it is personal."""
    for name in (name for name, why in NOT_TAKEN.items() if why is LeftOut.NOBODY):
        for column in TABLES[name].c:
            assert not column.info.get("personal"), f"{name}.{column.name}"
            assert PERSON not in {key.column for key in column.foreign_keys}, f"{name}.{column.name}"


def test_what_is_sealed_is_opened_or_left_out_and_secrets_are_left_out() -> None:
    for name, taken in TAKEN.items():
        for field in taken.fields.split():
            if isinstance(TABLES[name].c[field].type, LargeBinary):
                assert (name, field) in SEALED, f"{name}.{field} would be taken as it is sealed"
            assert not field.endswith("_hash") and (name, field) not in SECRETS
    assert {name for name, _ in SEALED} <= TAKEN.keys()


def test_the_readme_names_every_table_and_every_reason_in_both_languages() -> None:
    words = readme()
    assert all(f"{name}：{taken.zh}" in words and f"{name}: {taken.en}" in words for name, taken in TAKEN.items())
    used = {why for taken in TAKEN.values() for why in taken.left.values()} | set(NOT_TAKEN.values())
    assert used == set(WHY) == set(LeftOut)
    assert all(said in words for why in used - {LeftOut.NOBODY} for said in WHY[why])
