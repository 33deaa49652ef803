"""The contract lives in `ddsp_studio/contract`, so that packages outside can hold their processors to it."""

from __future__ import annotations

from ddsp_studio.contract import CLAUSES, Case, ContractBroken, Terms, broken_clauses, verify_contract

__all__ = ["CLAUSES", "Case", "ContractBroken", "Terms", "broken_clauses", "verify_contract"]
