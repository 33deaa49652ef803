"""Parity: our counterparts of the peer's losses calls."""

from __future__ import annotations

from .loader import Adapter, Difference

ADAPTERS: dict[str, Adapter] = {}
DIFFERENT: dict[str, list[Difference]] = {}
UNMATCHED: dict[str, str] = {}
