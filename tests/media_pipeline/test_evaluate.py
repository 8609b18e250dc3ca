"""The calibration report: the right rates from known distances, and clear words about a bad list."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.faces import Puppet, camera_frames, empty_room, encode_jpeg

from media_pipeline.curve import draw
from media_pipeline.engine import Engine
from media_pipeline.evaluate import Distances, PairsError, evaluate, read_pairs, report
from media_pipeline.frames import Pixels
from media_pipeline.verdict import JudgeSettings

RATES = {
    "eer",
    "eer_threshold",
    "tar_at_far_1e-2",
    "tar_at_far_1e-3",
    "tar_at_far_1e-4",
    "threshold",
    "tar",
    "far",
    "accused",
    "known_strangers",
    "same",
    "different",
}
KEYS = RATES | {"engine", "model", "images", "pairs", "no_face", "three_references"}
SETTINGS = JudgeSettings()


def told_of(same: list[float], different: list[float]) -> dict[str, float | int | None]:
    return report(Distances(tuple(same), tuple(different)), SETTINGS)


@pytest.fixture
def site(tmp_path: Path, person: Puppet, stranger: Pixels) -> Path:
    """Pictures of two people and of nobody, and a list of pairs."""
    pictures = {
        "people/a1.jpg": person.picture,
        "people/a2.jpg": person.turned(12),
        "people/a3.jpg": (person.picture * 0.6).astype(np.uint8),
        "people/b1.jpg": stranger,
        "people/b2.jpg": np.roll(stranger, 9, axis=1),
        "people/nobody.jpg": empty_room(),
    }
    (tmp_path / "people").mkdir()
    for name, picture in pictures.items():
        (tmp_path / name).write_bytes(camera_frames([picture])[0])
    rows = ["a1,a2,1", "a1,a3,1", "a2,a3,1", "b1,b2,1", "a1,b1,0", "a2,b1,0", "a3,b2,0", "a1,nobody,0"]
    lines = [f"people/{a}.jpg,people/{b}.jpg,{same}" for a, b, same in (row.split(",") for row in rows)]
    (tmp_path / "pairs.csv").write_text("a,b,same\n" + "\n".join(lines) + "\n")
    return tmp_path / "pairs.csv"


def test_a_list_of_pictures_becomes_a_report(engine: Engine, site: Path) -> None:
    told = evaluate(site, engine=engine).report
    assert set(told) == KEYS
    assert json.loads(json.dumps(told)) == told
    assert (told["images"], told["pairs"], told["no_face"]) == (6, 7, 1)
    assert (told["eer"], told["tar"], told["far"], told["threshold"]) == (0.0, 1.0, 0.0, 0.5)
    assert (told["tar_at_far_1e-2"], told["tar_at_far_1e-3"]) == (1.0, 1.0)
    assert 0.1 < told["eer_threshold"] < 0.8


def test_each_picture_is_embedded_once(engine: Engine, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described = 0
    describe = Engine.describe

    def counted(self: Engine, *arguments: Any) -> Any:
        nonlocal described
        described += 1
        return describe(self, *arguments)

    monkeypatch.setattr(Engine, "describe", counted)
    evaluate(site, engine=engine)
    assert described == 5


def test_known_distances_give_known_rates() -> None:
    same = [0.1] * 90 + [0.45] * 8 + [0.7, 0.8]
    different = [0.9] * 995 + [0.4] * 4 + [0.05]
    told = told_of(same, different)
    assert told["tar"] == 0.98
    assert told["far"] == 0.005
    assert told["tar_at_far_1e-2"] == 1.0
    assert told["tar_at_far_1e-3"] == 0.9
    assert told["eer"] == pytest.approx(0.0075, abs=0.006)


def test_equal_errors_meet_in_the_middle() -> None:
    told = told_of([0.1, 0.2, 0.3, 0.6], [0.4, 0.7, 0.8, 0.9])
    assert told["eer"] == 0.25
    assert told["eer_threshold"] == 0.4


def test_a_site_with_one_kind_of_pairs_has_half_a_report() -> None:
    told = told_of([0.1, 0.2], [])
    assert told["accused"] == 0.0
    assert told["tar"] == 1.0
    assert told["far"] is told["eer"] is told["tar_at_far_1e-2"] is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "missing: a, b, same"),
        ("a,b\nx,y\n", "missing: same"),
        ("a,b,same\n", "no pairs"),
        ("a,b,same\nx.jpg,,1\n", "line 2: column b is empty"),
        ("a,b,same\nx.jpg\n", "line 2: column b is empty"),
        ("a,b,same\nx.jpg,x.jpg,maybe\n", "line 2: same must be 1 or 0, not 'maybe'"),
        ("a,b,same\nx.jpg,gone.jpg,1\n", "line 2: no picture"),
    ],
)
def test_a_bad_list_is_told_where_it_is_bad(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "x.jpg").write_bytes(b"")
    (tmp_path / "pairs.csv").write_text(content)
    with pytest.raises(PairsError, match=said):
        read_pairs(tmp_path / "pairs.csv")


def test_a_missing_list_and_a_foreign_encoding_are_told(tmp_path: Path) -> None:
    with pytest.raises(PairsError, match="no such file"):
        read_pairs(tmp_path / "pairs.csv")
    (tmp_path / "pairs.csv").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(PairsError, match="UTF-8"):
        read_pairs(tmp_path / "pairs.csv")


def test_a_list_saved_by_a_spreadsheet_is_read(tmp_path: Path, person: Puppet) -> None:
    (tmp_path / "x.jpg").write_bytes(encode_jpeg(person.picture))
    (tmp_path / "pairs.csv").write_bytes("\ufeffa,b,same\r\nx.jpg, x.jpg, TRUE\r\n".encode())
    (pair,) = read_pairs(tmp_path / "pairs.csv")
    assert pair.same
    assert pair.a == pair.b == tmp_path / "x.jpg"


def test_a_file_that_is_no_picture_is_named(tmp_path: Path, engine: Engine) -> None:
    (tmp_path / "x.jpg").write_bytes(b"no picture")
    (tmp_path / "pairs.csv").write_text("a,b,same\nx.jpg,x.jpg,1\n")
    with pytest.raises(PairsError, match=r"x\.jpg: not a usable picture \(not_a_picture\)"):
        evaluate(tmp_path / "pairs.csv", engine=engine)


def _made(folder: Path, monkeypatch: pytest.MonkeyPatch, people: dict[str, list[list[float]]], rows: list[str]) -> Path:
    """A list of pictures whose descriptors are as told: of each person one for each of its pictures."""
    described = {}
    for who, each in people.items():
        for number, values in enumerate(each):
            path = folder / f"{who}{number}.jpg"
            path.write_bytes(b"picture")
            described[path] = np.array(values, np.float32)
    monkeypatch.setattr("media_pipeline.evaluate._embed", lambda path, engine: described[path])
    (folder / "pairs.csv").write_text("a,b,same,group\n" + "\n".join(rows) + "\n")
    return folder / "pairs.csv"


def _all_pairs(people: dict[str, list[list[float]]], group_of: dict[str, str]) -> list[str]:
    pictures = [(who, f"{who}{number}.jpg") for who, each in people.items() for number in range(len(each))]
    return [
        f"{one},{other},{int(who == whom)},{group_of[who] if group_of[who] == group_of[whom] else ''}"
        for (who, one), (whom, other) in combinations(pictures, 2)
    ]


def test_groups_are_told_apart_and_three_references_are_their_median(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    near, far = [0.0, 0.0], [0.4, 0.0]
    people = {
        "a": [near, near, near, [0.1, 0.0]],
        "b": [far, far, far, far],
        "c": [[0.0, 9.0]] * 4,
        "d": [[9.0, 9.0]] * 4,
    }
    site = _made(tmp_path, monkeypatch, people, _all_pairs(people, {"a": "one", "b": "one", "c": "two", "d": "two"}))
    found = evaluate(site, engine=engine)
    one, two = found.report["groups"]["one"], found.report["groups"]["two"]
    assert set(one) == RATES | {"people", "three_references"}
    assert (one["far"], two["far"], one["people"], two["people"]) == (1.0, 0.0, 2, 2)
    assert (one["same"], one["different"]) == (12, 16)
    assert found.report["far"] == pytest.approx(16 / 96)
    assert one["three_references"]["same"] == 20
    assert one["three_references"]["far"] == 1.0
    assert two["three_references"]["tar"] == 1.0
    assert set(found.curves) == {"", "one", "two"}


def test_who_is_not_called_a_stranger_is_held_against_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    people = {"a": [[0.0, 0.0]] * 4, "b": [[0.0, 0.0]] * 4}
    rows = [row for row in _all_pairs(people, {"a": "", "b": ""}) if row.split(",")[2] == "1"]
    found = evaluate(_made(tmp_path, monkeypatch, people, rows), engine=engine).report
    assert found["three_references"]["different"] == 0
    assert "groups" not in found


def test_the_curves_are_drawn() -> None:
    curves = {"": Distances((0.3, 0.4), (0.6, 0.7)), "men": Distances((0.3,), ()), "nobody": Distances((), ())}
    picture = draw(curves, 0.5)
    assert picture.shape[2] == 3
    assert (picture < 255).any(axis=2).mean() > 0.01
