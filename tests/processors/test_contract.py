"""Every processor of the catalogue keeps every clause of the contract."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from ddsp_studio.processors import catalogue

from .cases import SETTINGS, cases
from .contract import CLAUSES, Case

_folder = tempfile.TemporaryDirectory(prefix="ddsp-contract-", ignore_cleanup_errors=True)
CASES = cases(Path(_folder.name))
_compiled: list[Case] = []


def case_of(name: str) -> Case:
    """The case of this name; what was compiled for the one before is let go."""
    case = CASES[name]
    while _compiled and _compiled[0] is not case:
        _compiled.pop().forget()
    _compiled[:] = [case]
    return case


@pytest.mark.parametrize("clause", CLAUSES)
@pytest.mark.parametrize("name", CASES)
def test_contract(name: str, clause: str) -> None:
    CLAUSES[clause](case_of(name))


def test_every_processor_is_held_to_it() -> None:
    assert {case.make().spec.name for case in CASES.values()} == set(catalogue.processor_types())
    assert set(SETTINGS) <= set(catalogue.processor_types())
    assert not catalogue.problems
