"""Names of devices and MIDI ports that mean the same thing tomorrow, and that tell equal things apart.

Thread rule: pure functions.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterable, Iterator

# ALSA ends a port's name in its client and port number, a2jmidid has the client's in the middle, Windows ends it in an index:
# all of them change with what else is plugged in
_LINUX = re.compile(r" \d+:\d+$| \[\d+\](?= \((?:capture|playback)\))")
_WINDOWS = re.compile(r" \d+$")


def stable_name(name: str, platform: str = sys.platform) -> str:
    """A MIDI port's name without what changes when it is plugged in again."""
    return (_WINDOWS if platform == "win32" else _LINUX).sub("", name) or name


def candidates(name: str) -> Iterator[str]:
    """What equal things are called: "name", "name (2)", "name (3)" and so on."""
    return itertools.chain((name,), (f"{name} ({number})" for number in itertools.count(2)))


def numbered(names: Iterable[str]) -> list[str]:
    """The same names, equal ones told apart by their order."""
    given: list[str] = []
    for name in names:
        given.append(next(new for new in candidates(name) if new not in given))
    return given
