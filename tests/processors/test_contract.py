"""Every processor of the catalogue keeps every clause of the contract."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from ddsp_studio.processors import catalogue

from .cases import SETTINGS, cases
from .contract import CLAUSES

CASES = cases(Path(tempfile.mkdtemp(prefix="ddsp-contract-")))


@pytest.mark.parametrize("clause", CLAUSES)
@pytest.mark.parametrize("name", CASES)
def test_contract(name: str, clause: str) -> None:
    CLAUSES[clause](CASES[name])


def test_every_processor_is_held_to_it() -> None:
    assert {case.make().spec.name for case in CASES.values()} == set(catalogue.processor_types())
    assert set(SETTINGS) <= set(catalogue.processor_types())
    assert not catalogue.problems
