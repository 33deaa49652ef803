"""What others rely on: exact versions, targets that explain themselves, documents that hold."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def needed(requirements: list[str], seen: set[str]) -> set[str]:
    """Names of everything that requirements bring along here."""
    for text in requirements:
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        marked = requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in {"", *requirement.extras})
        if marked and name not in seen:
            seen.add(name)
            try:
                needed(metadata.requires(name) or [], seen)
            except metadata.PackageNotFoundError:
                continue
    return seen


def test_constraints_are_names_and_versions_only():
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[a-z0-9][a-z0-9-]*==[0-9][0-9A-Za-z.]*", line), line


def test_everything_that_gets_installed_is_constrained():
    extras = PROJECT["optional-dependencies"]
    names = needed([*PROJECT["dependencies"], *extras["dev"], *extras["gpu"]], set())
    assert sorted(names - set(pinned())) == []


def test_constraints_satisfy_the_project():
    extras = PROJECT["optional-dependencies"]
    held = pinned()
    for text in [*PROJECT["dependencies"], *extras["dev"], *extras["gpu"]]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(held[canonicalize_name(requirement.name)]), text


def test_every_target_explains_itself():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    for target in phony.group(1).split():
        assert re.search(rf"^{target}:.*## \w", makefile, re.MULTILINE), target


def test_links_between_documents_lead_somewhere():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not target.endswith(".png"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"
