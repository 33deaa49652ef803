"""The contract that every processor keeps, for the tests of this program and of packages that add processors of their own.

    from ddsp_studio.contract import Terms, verify_contract

    def test_tremolo_keeps_the_contract():
        verify_contract(lambda: Tremolo(16_000))

It needs nothing but what the program needs. What is special about a processor goes into `Terms`.
"""

from __future__ import annotations

from ddsp_studio.contract.broken import ContractBroken
from ddsp_studio.contract.clauses import CLAUSES, broken_clauses, verify_contract
from ddsp_studio.contract.stimulus import Case, Terms

__all__ = ["CLAUSES", "Case", "ContractBroken", "Terms", "broken_clauses", "verify_contract"]
