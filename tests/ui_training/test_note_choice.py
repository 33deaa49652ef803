"""NSynth in the panel: which notes are wanted, what that leaves, and what the trainer is told."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from ddsp_studio import resources
from ddsp_studio.processors import patch_file
from ddsp_studio.training import listen
from ddsp_studio.training.data.glance import glance
from ddsp_studio.training.data.nsynth import NSynthFilter, nsynth_sounds
from ddsp_studio.training.data.nsynth_notes import mixture
from ddsp_studio.ui.training import plan
from ddsp_studio.ui.training.material_page import MaterialPage

from ..training.material import framed, nsynth_folder, nsynth_record
from .conftest import wait_until

NAMES = [
    "flute_acoustic_002-081-075",
    "string_acoustic_000-067-050",
    "string_acoustic_000-067-100",
    "string_acoustic_014-074-100",
    "string_electronic_003-050-100",
]


def looked_at(path: Path) -> listen.Heard:
    """What the listener tells of a data set."""
    seen = glance(path, "nsynth")
    return listen.decode(msgspec.json.encode(listen.heard(seen.report, seen)))


@pytest.fixture
def heard(tmp_path: Path) -> listen.Heard:
    return looked_at(nsynth_folder(tmp_path / "nsynth-train", NAMES))


@pytest.fixture
def page(themed: QApplication, heard: listen.Heard) -> MaterialPage:
    page = MaterialPage()
    page.begin([Path(heard.path)])
    page.add(heard)
    page.finish()
    return page


def settled(page: MaterialPage) -> None:
    """A choice is taken when nothing more has been chosen for a moment."""
    wait_until(lambda: not page.notes._settled.isActive())


def lines(page: MaterialPage) -> list[str]:
    item = page.files.topLevelItem(0)
    return [item.text(2), *(item.child(k).text(0) for k in range(item.childCount()))]


@pytest.mark.parametrize(
    "wanted",
    [
        NSynthFilter(),
        NSynthFilter(families=("string",)),
        NSynthFilter(sources=("electronic", "synthetic")),
        NSynthFilter(instruments=("string_acoustic_000",), velocity=(60, 127)),
        NSynthFilter(pitch=(60, 74)),
        NSynthFilter(families=("organ",)),
    ],
)
def test_what_is_told_is_what_is_trained_on(heard: listen.Heard, wanted: NSynthFilter) -> None:
    sounds = list(nsynth_sounds(Path(heard.path), wanted))
    left = listen.narrowed(heard, wanted)
    assert (left.sounds, left.exact) == (len(sounds), True)
    assert left.seconds == pytest.approx(0.5 * len(sounds), rel=0.02)
    keys = [sound.pitch for sound in sounds]
    assert left.keys == ((min(keys), max(keys)) if keys else None)
    instruments = {sound.name.rsplit("-", 2)[0] for sound in sounds}
    assert len([words for words in left.warnings if "mixture" in words]) == (len(instruments) > 1)


def test_of_records_the_first_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddsp_studio.training.data.glance._RECORDS", 2)
    path = tmp_path / "nsynth-train.tfrecord"
    path.write_bytes(framed([nsynth_record(name) for name in NAMES]))
    heard = looked_at(path)
    half = listen.narrowed(heard, NSynthFilter(families=("string",)))
    assert (heard.sounds, heard.exact, half.exact, half.keys) == (5, True, False, None)
    assert half.usable_s == pytest.approx(heard.usable_s / 2)
    unseen = listen.narrowed(heard, NSynthFilter(instruments=("string_acoustic_014",)))
    assert 0.0 < unseen.usable_s < half.usable_s  # further on there may be some


def test_without_nsynth_there_is_nothing_to_choose(page: MaterialPage, heard: listen.Heard) -> None:
    assert not page.notes.isHidden()
    page.take_out([heard.path])
    assert page.notes.isHidden() and page.plan().nsynth == NSynthFilter()


def test_a_choice_is_shown_and_ordered(page: MaterialPage, heard: listen.Heard, tmp_path: Path) -> None:
    assert lines(page)[:2] == ["D3 – A5", "NSynth, 5 notes"] and "4 instruments" in lines(page)[2]
    page.notes.family.setCurrentIndex(page.notes.family.findData("string"))
    settled(page)
    assert lines(page)[:2] == ["D3 – D5", "NSynth, 4 of 5 notes"] and "3 instruments" in lines(page)[2]
    box = page.notes.instrument
    assert [box.itemText(k) for k in range(box.count())] == [
        "Every instrument",
        "string_acoustic_000 (2 notes)",
        "string_acoustic_014 (1 note)",
        "string_electronic_003 (1 note)",
    ]
    box.setCurrentIndex(1)
    page.notes.velocity[0].setValue(75)
    settled(page)
    assert lines(page) == ["G4", "NSynth, 1 of 5 notes"] and "usable" in page.total.text()
    wanted = NSynthFilter(("string",), (), ("string_acoustic_000",), (0, 127), (75, 127))
    assert page.plan().nsynth == wanted
    patch = patch_file.load(resources.find(resources.TEMPLATES, plan.FIRST))
    begin = plan.order(page.plan(), page.heard, patch, tmp_path / "run")
    assert [source.nsynth for source in begin.sources] == [wanted]
    page.notes.keys[0].setValue(100)
    settled(page)
    assert lines(page) == ["", "NSynth, 0 of 5 notes"] and not page.train.isEnabled()
    assert page.advice.text().startswith("No notes of NSynth are what is chosen")
    page.begin([Path(heard.path)])
    page.add(heard)
    assert lines(page)[1] == "NSynth, 5 notes"  # what was chosen for others does not hold for these


def test_a_choice_is_waited_for_as_long_whatever_is_chosen(page: MaterialPage) -> None:
    page.notes.instrument.setCurrentIndex(3)
    page.notes.velocity[0].setValue(1)
    assert page.notes._settled.isActive() and page.notes._settled.interval() == 150


def test_keys_have_names_and_keep_their_order(page: MaterialPage) -> None:
    low, high = page.notes.keys
    assert (low.text(), high.text()) == ("C-1", "G9")
    for typed, key in (("C4", 60), ("72", 72), ("x", 72)):
        low.lineEdit().selectAll()
        QTest.keyClicks(low.lineEdit(), typed)
        low.interpretText()
        assert low.value() == key
    high.setValue(20)
    assert high.value() == 72


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        ("string_acoustic_014", "string_acoustic_014"),
        ("014", "string_acoustic_014"),
        ("String_Electronic_003", "string_electronic_003"),
        ("bagpipe", "string_acoustic_000"),
        ("acoustic", "string_acoustic_000"),  # of several
        ("string_acoustic_099", "string_acoustic_000"),
    ],
)
def test_an_instrument_can_be_typed(page: MaterialPage, typed: str, chosen: str) -> None:
    box = page.notes.instrument
    box.setCurrentIndex(2)
    box.setEditText(typed)
    box.lineEdit().editingFinished.emit()
    assert box.currentText().startswith(chosen) and page.plan().nsynth.instruments == (chosen,)


def test_of_a_part_no_totals_are_told(themed: QApplication, heard: listen.Heard) -> None:
    page = MaterialPage()
    page.begin([Path(heard.path)])
    page.add(msgspec.structs.replace(heard, sounds=289_205))
    box = page.notes.instrument
    assert box.itemText(1) == "flute_acoustic_002"
    box.setEditText("string_acoustic_099")
    box.lineEdit().editingFinished.emit()
    assert page.plan().nsynth.instruments == ("string_acoustic_099",)  # it may come further on
    assert "at least 2 instruments" in mixture("n", {"a_b_0": {1: [2]}, "a_b_1": {1: [2]}}, whole=False)[0]


def test_a_part_of_its_name_finds_an_instrument(page: MaterialPage) -> None:
    completer = page.notes.instrument.completer()
    completer.setCompletionPrefix("ACOUSTIC_0")
    found = completer.completionModel()
    names = [found.data(found.index(row, 0)) for row in range(found.rowCount())]
    assert [name.split(" ")[0] for name in names] == ["flute_acoustic_002", "string_acoustic_000", "string_acoustic_014"]
