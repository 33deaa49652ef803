"""Stimuli and terms live in `ddsp_studio/contract/stimulus.py`; edit them there."""

from __future__ import annotations

from ddsp_studio.contract.stimulus import Case, Terms, performance

__all__ = ["Case", "Terms", "performance"]
