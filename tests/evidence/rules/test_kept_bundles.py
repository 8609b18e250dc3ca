"""What was handed out is found again: bundles and chains of earlier releases say what they said on the day."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from xueji.evidence.bundle import Bundle
from xueji.evidence.verify import main, verify
from xueji.hours.rules import assess, evidence
from xueji.rulebook.rules import load
from xueji.trace import canonical

KEPT = Path(__file__).parents[2] / "kept"
RELEASES = sorted(path for path in KEPT.iterdir() if path.is_dir())
BUNDLES = [pytest.param(zipped, id=f"{zipped.parent.name}/{zipped.stem}") for zipped in sorted(KEPT.glob("*/*.zip"))]


def read(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def held(zipped: Path) -> str:
    return (zipped.parent / "checkpoint-of-60").read_text("utf-8")


@pytest.mark.parametrize("zipped", BUNDLES)
def test_a_kept_bundle_claims_what_it_claimed(zipped: Path) -> None:
    then = read(zipped.parent / "found.json")[zipped.stem]
    policy = (zipped.parent / "policy.json").read_text("utf-8")
    checkpoint = held(zipped) if then["from_checkpoint"] else None
    found = {
        claim: (verdict.strip(), said)
        for verdict, claim, said in verify(Bundle(zipped), policy=policy, held=checkpoint)
    }
    assert {claim: found[claim][0] for claim in then["claims"]} == then["claims"], found
    assert found["hours"][1] == then["hours"]
    assert found["chain"][1] == then["leaves"]
    # A later release knows more claims; none of them may bring down what was sound.
    assert not {claim: said for claim, (verdict, said) in found.items() if verdict == "FAIL"}


@pytest.mark.parametrize("zipped", BUNDLES)
def test_a_kept_bundle_is_still_verified(zipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(zipped)]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("VERIFIED")
    assert "as of 截至 2026-11-27T21:0" in last, "until when it speaks, and that nothing later is in it"
    assert "seen by nobody outside" in last


def test_every_kept_bundle_has_its_findings() -> None:
    for release in RELEASES:
        assert {zipped.stem for zipped in release.glob("*.zip")} == read(release / "found.json").keys()


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_a_kept_chain_is_worth_the_same_hours(release: Path) -> None:
    kept = read(release / "chain.json")
    statement = assess(load(kept["rulebook"]), evidence(kept["leaves"]), kept["as_of_ms"]).to_dict()
    assert statement == kept["statement"]
    assert hashlib.sha256(canonical.encode(statement)).hexdigest() == kept["statement_sha256"]
