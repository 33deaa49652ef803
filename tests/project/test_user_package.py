"""A user's own processor in a package of its own: installed it is like any other; without it nothing is lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ddsp_studio.processors import patch_file
from ddsp_studio.processors.nesting import absent

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "tremolo-processor"
REASON = "processor type 'Tremolo' is not installed; it comes with tremolo-processor"

DRAWING = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from ddsp_studio.processors.patch import Port
from ddsp_studio.ui.canvas.editor import PatchEditor
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.inspector.inspector import Inspector

app = QApplication([])
document = Document()
editor, inspector = PatchEditor(document), Inspector(document)
editor.resize(900, 600)
editor.show()
noise, out = document.add_node("FilteredNoise", (0.0, 0.0)), document.add_node("Output", (600.0, 0.0))
document.connect_ports(Port(noise, "audio"), Port(out, "input"))
editor.search_for_cable(document.patch.cables[0])
editor.search.field.setText("tremolo")
editor.search._search("tremolo")
editor.search._take(editor.search.list.currentIndex())
document.set_value("tremolo", "rate", [7.0])
print(sorted(inspector.page.values), document.patch.nodes["tremolo"].type)
document.save_as(Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example is installed, as a user's environment would hold it."""
    source, target = tmp_path_factory.mktemp("source") / "tremolo", tmp_path_factory.mktemp("site")
    shutil.copytree(EXAMPLE, source)
    offline = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return target


def python(site: Path | None, *arguments: object, home: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with the package (or without)."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "DDSP_STUDIO_HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *([str(site)] if site else [])])
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, env=environment, cwd=home)


@pytest.fixture(scope="module")
def drawn(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A patch that was drawn with the tremolo, found by the search on a cable."""
    home = tmp_path_factory.mktemp("home")
    done = python(site, "-c", DRAWING, home / "swing.ddsp", home=home)
    assert done.stdout.strip() == "['depth', 'rate'] Tremolo", done.stderr
    return home / "swing.ddsp"


def test_the_example_is_the_processor_of_the_guide() -> None:
    page = (ROOT / "docs" / "writing-a-processor.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert code and (EXAMPLE / "tremolo_processor.py").read_text(encoding="utf-8") == code.group(1)


def test_it_is_in_the_catalogue(site: Path, tmp_path: Path) -> None:
    done = python(site, "-m", "ddsp_studio", "processors", "tremolo", "--json", home=tmp_path)
    (sheet,) = json.loads(done.stdout)
    assert sheet["name"] == "Tremolo" and [c["name"] for c in sheet["controls"]] == ["rate", "depth"] and not done.stderr


def test_it_keeps_the_contract_by_its_own_test(site: Path, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    done = python(site, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", home=tmp_path)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout


def test_a_saved_patch_names_the_package(drawn: Path) -> None:
    node = json.loads(drawn.read_text(encoding="utf-8"))["nodes"]["tremolo"]
    assert (node["type"], node["package"], node["values"]) == ("Tremolo", "tremolo-processor", {"rate": 7.0})


def test_without_the_package_nothing_is_lost_and_with_it_the_patch_is_whole(site: Path, drawn: Path, tmp_path: Path, run) -> None:
    patch = patch_file.load(drawn)
    assert absent(patch) == {"tremolo": REASON}
    again = tmp_path / "again.ddsp"
    patch_file.save(patch, again)
    assert json.loads(again.read_text(encoding="utf-8")) == json.loads(drawn.read_text(encoding="utf-8"))
    missing = run("check", again)
    assert missing.code == 1 and missing.err.strip() == f"ddsp-studio: tremolo: {REASON}"
    whole = python(site, "-m", "ddsp_studio", "check", again, home=tmp_path)
    assert whole.returncode == 0 and "sound (3 nodes, 2 cables" in whole.stdout, whole.stderr


def test_rendering_without_the_package_leaves_the_node_out_and_says_so(drawn: Path, tmp_path: Path, run) -> None:
    done = run("render", drawn, "-o", tmp_path / "out.wav", "--seconds", 0.1, "--tail", 0.0)
    assert done.code == 0 and f"tremolo: {REASON}; it is left out" in done.err
    assert (tmp_path / "out.wav").stat().st_size > 1000
