"""What templates and scripts take for granted of the front end's sources."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
TEMPLATES = sorted(
    file for folder in ("platform/xueji", "courses") for file in (ROOT / folder).glob("**/templates/**/*.html")
)
ICON_NAMES = set(json.loads((FRONTEND / "icons" / "names.json").read_text("utf-8")))
ICON = re.compile(r"""(?:icon\(|icon_name=)\s*['"]([a-z0-9-]+)['"]""")
ASSET = re.compile(r"""asset\('([^']+)'\)""")
SCRIPT_ICON = re.compile(r"""icon\("([a-z0-9-]+)"\)""")


def test_every_icon_of_a_template_is_in_the_sprite() -> None:
    used = {(file.name, name) for file in TEMPLATES for name in ICON.findall(file.read_text("utf-8"))}
    assert used
    assert {pair for pair in used if pair[1] not in ICON_NAMES} == set()


def test_every_icon_of_a_script_is_in_the_sprite() -> None:
    scripts = sorted((FRONTEND / "src").rglob("*.ts"))
    used = {(file.name, name) for file in scripts for name in SCRIPT_ICON.findall(file.read_text("utf-8"))}
    assert used
    assert {pair for pair in used if pair[1] not in ICON_NAMES} == set()


def test_every_asset_of_a_template_is_an_entry_of_the_build() -> None:
    entries = re.search(r"const entries = \[(.*?)\]", (FRONTEND / "vite.config.js").read_text("utf-8"), re.S)
    assert entries is not None
    built = {*re.findall(r'"([^"]+)"', entries[1]), "icons.svg"}
    used = {name for file in TEMPLATES for name in ASSET.findall(file.read_text("utf-8"))}
    assert {"theme.scss", "site.ts", "lesson.ts"} <= used <= built


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_no_template_needs_an_inline_script_or_a_foreign_address(file: Path) -> None:
    text = file.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\ssrc=)|\son[a-z]+=\"|javascript:|<style", text)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)


def test_the_lock_names_versions_and_checksums_but_no_addresses() -> None:
    packages = json.loads((FRONTEND / "package-lock.json").read_text("utf-8"))["packages"]
    of_others = {name: package for name, package in packages.items() if name}
    assert all("resolved" not in package for package in of_others.values())
    assert all(package["integrity"].startswith("sha512-") for package in of_others.values())
