"""What the contract says when it is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddsp_studio.contract.stimulus import Case


class ContractBroken(AssertionError):
    """A processor breaks a clause: which clause, which processor, and the number that was measured."""

    def __init__(self, clause: str, case: Case, reason: str, measured: float = float("nan")) -> None:
        processor = case.processor
        options = "".join(f" {key}={value}" for key, value in processor.options.items())
        super().__init__(f"{processor.spec.name}{options} breaks the clause {clause!r}: {reason}")
        self.clause, self.measured = clause, measured
