"""The tremolo keeps the contract of processors."""

from __future__ import annotations

from tremolo_processor import Tremolo

from ddsp_studio.contract import verify_contract


def test_tremolo_keeps_the_contract() -> None:
    """Every clause: split law, latency, gradients, no dead knobs, and the rest."""
    verify_contract(lambda: Tremolo(16_000))
