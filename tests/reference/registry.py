"""Which of our functions answers to which call of the peer, collected from the adapter modules.

An adapter module has `ADAPTERS: dict[name, callable of a Case]`, `DIFFERENT: dict[name, list[Difference]]` and `UNMATCHED:
dict[name, reason]`; any of them may be empty. It may have `PHASES: dict[name, key]` for an output that is an angle in radians and
is compared modulo a turn. To add a family, write adapters_<family>.py beside this file.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from .loader import Adapter, Case, Difference

MODULES = [importlib.import_module(f"{__package__}.{path.stem}") for path in sorted(Path(__file__).parent.glob("adapters_*.py"))]
ADAPTERS: dict[str, Adapter] = {name: adapter for module in MODULES for name, adapter in module.ADAPTERS.items()}
DIFFERENT: dict[str, list[Difference]] = {name: held for module in MODULES for name, held in module.DIFFERENT.items()}
UNMATCHED: dict[str, str] = {name: why for module in MODULES for name, why in module.UNMATCHED.items()}
PHASES: dict[str, str] = {name: key for module in MODULES for name, key in getattr(module, "PHASES", {}).items()}


def difference(case: Case) -> Difference | None:
    """The deliberate difference that holds in this case, if any."""
    return next((held for held in DIFFERENT.get(case.name, []) if held.when(case)), None)
