"""The contract bites: each classic mistake breaks its own clause, and correct code breaks none."""

from __future__ import annotations

import pytest

from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.catalogue import processor_types

from .contract import CLAUSES, Case, ContractBroken, Terms, verify_contract
from .mutants import BREAKS, Healthy, Rings

RATE = 16_000
_SOURCES = Terms(silence={"level": 0.0}, drivers=("level",))


@pytest.mark.parametrize(("mutant", "clause"), [(m, clause) for m, clauses in BREAKS.items() for clause in sorted(clauses)])
def test_mutant_is_caught(mutant: type[Processor], clause: str) -> None:
    terms = Terms() if mutant.spec.inlets else _SOURCES
    with pytest.raises(ContractBroken, match=f"^{mutant.__name__}.* breaks the clause '{clause}'") as caught:
        CLAUSES[clause](Case(lambda: mutant(RATE), terms))
    assert caught.value.clause == clause


@pytest.mark.parametrize("healthy", [Healthy, Rings])
def test_correct_code_passes(healthy: type[Processor]) -> None:
    verify_contract(lambda: healthy(RATE))


def test_every_clause_has_a_mutant() -> None:
    assert set().union(*BREAKS.values()) == set(CLAUSES)


def test_mutants_stay_out_of_the_catalogue() -> None:
    assert not {m.spec.name for m in BREAKS} & set(processor_types())
