"""The system libraries are asked for by names that apt of each promised system can install, tried on small indexes of them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "system-packages.sh"
APT = "/usr/bin/apt-get"

pytestmark = pytest.mark.skipif(not Path(APT).exists() or shutil.which("dpkg") is None, reason="apt is not here")

# where libraries have the old names: Debian 12, Ubuntu 22.04
OLD = {"libasound2": "", "libglib2.0-0": "", "libportaudio2": "Depends: libasound2"}
# where time became 64 bits wide: Debian 13; in Ubuntu 24.04 two packages share the name of ALSA's library
NEW = {
    "libasound2t64": "Provides: libasound2 (= 1.2)",
    "libglib2.0-0t64": "Provides: libglib2.0-0 (= 2.80)",
    "libportaudio2": "Depends: libasound2t64",
}
NOBLE = {**NEW, "liboss4-salsa-asound2": "Provides: libasound2"}


def index(folder: Path, packages: dict[str, str]) -> None:
    """A repository of packages without contents, each with a line of its own."""
    stanza = (
        "Package: {}\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\nDescription: a library\n"
        "Filename: ./x.deb\nSize: 1\nSHA256: " + "0" * 64 + "\n{}"
    )
    text = "\n".join(stanza.format(name, f"{line}\n" if line else "") for name, line in packages.items())
    (folder / "Packages").write_text(text)


def asked() -> set[str]:
    """All packages that the script ever wants."""
    return set(re.sub(r"\\\n|\$packages", " ", " ".join(re.findall(r'packages="([^"]+)"', SCRIPT.read_text()))).split())


@pytest.fixture
def bare_system(tmp_path):
    """A system on which nothing is installed, with an apt that only tells what it would do: environment and the apt's log."""

    def make(packages: dict[str, str]) -> tuple[dict[str, str], Path]:
        names = asked() - {"libasound2", "libglib2.0-0", "libportaudio2"}
        index(tmp_path, dict.fromkeys(names, "") | packages)
        log, state, tools = tmp_path / "log", tmp_path / "state", tmp_path / "tools"
        for folder in (state / "lists/partial", state / "cache/archives/partial", tools):
            folder.mkdir(parents=True)
        (state / "status").touch()
        (state / "sources.list").write_text(f"deb [trusted=yes] file:{tmp_path} ./\n")
        options = {
            "Dir::State": state,
            "Dir::State::lists": state / "lists",
            "Dir::State::status": state / "status",
            "Dir::Cache": state / "cache",
            "Dir::Etc::sourcelist": state / "sources.list",
            "Dir::Etc::sourceparts": "-",
            "APT::Sandbox::User": "root",
            "APT::Architecture": "amd64",
        }
        given = " ".join(f"-o {key}={value}" for key, value in options.items())
        for name, body in {
            "apt-get": f'[ "$1" = update ] || set -- -s "$@"\nexec {APT} {given} "$@" 2>&1 | sed "s/^/apt: /" >>{log}',
            "dpkg-query": "exit 1",
            "id": "echo 0",
            "uname": "echo Linux",
        }.items():
            (tools / name).write_text(f"#!/bin/bash\nset -o pipefail\n{body.replace('exec ', '')}\n")
            (tools / name).chmod(0o755)
        return {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}, log

    return make


def wanted(environment: dict[str, str], log: Path, purpose: str, python: str | Path) -> list[str]:
    """What apt installs for this Python."""
    done = subprocess.run(["sh", SCRIPT, purpose, python], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + log.read_text()
    return re.findall(r"^apt: Inst (\S+)", log.read_text(), re.MULTILINE)


@pytest.mark.parametrize("packages", [OLD, NEW, NOBLE], ids=["Debian 12, Ubuntu 22.04", "Debian 13", "Ubuntu 24.04"])
@pytest.mark.parametrize("purpose", ["run", "test"])
def test_apt_can_install_what_is_asked_for(bare_system, packages, purpose):
    environment, log = bare_system(packages)
    installed = wanted(environment, log, purpose, sys.executable)
    for library in ("libportaudio2", "libasound2", "libglib2.0-0"):
        assert {library, f"{library}t64"} & set(installed), log.read_text()
    assert ("jackd2" in installed) == (purpose == "test")


@pytest.mark.parametrize(("version", "headers"), [((3, 12), False), ((3, 13), False), ((3, 13), True)])
def test_what_has_no_wheel_can_be_compiled(bare_system, tmp_path, version, headers):
    """python-rtmidi, for Python 3.13: with ALSA and JACK, and the headers of a Python that has not brought its own."""
    if headers:
        (tmp_path / "Python.h").touch()
    python = tmp_path / "python"
    as_if = f"import sys, sysconfig; sys.version_info = {version}; sysconfig.get_path = lambda _: {str(tmp_path)!r}"
    program = shlex.quote(f"{as_if}; exec(sys.argv[1])")
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {program} "$2"\n')
    python.chmod(0o755)
    installed = set(wanted(*bare_system(NEW), "run", python))
    assert ({"g++", "pkg-config", "libasound2-dev", "libjack-jackd2-dev"} <= installed) == (version == (3, 13))
    assert ("python3-dev" in installed) == (version == (3, 13) and not headers)
