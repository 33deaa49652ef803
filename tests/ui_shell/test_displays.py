"""What the displays show for known sounds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRect
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox
from pytestqt.qtbot import QtBot

from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.ui import theme
from ddsp_studio.ui.displays import colour_maps
from ddsp_studio.ui.displays.analysis import LONG, LogSpectrum, trigger
from ddsp_studio.ui.displays.harmonics import Harmonics
from ddsp_studio.ui.displays.level_meter import LevelMeter
from ddsp_studio.ui.displays.load_meter import LoadMeter
from ddsp_studio.ui.displays.scope import Scope
from ddsp_studio.ui.displays.spectrogram import Spectrogram

RATE = 48_000


def tone(frequency: float, length: int = LONG, level: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * frequency * np.arange(length) / RATE)).astype(np.float32)


def feed(page: Telemetry, audio: np.ndarray) -> None:
    page.write_audio(np.stack([audio, audio]))


@pytest.mark.parametrize("frequency", [55.0, 440.0, 1234.0, 9000.0])
def test_a_sine_reads_its_frequency_and_level(frequency: float) -> None:
    spectrum = LogSpectrum(300, RATE)
    column = spectrum.column(tone(frequency, level=0.5))
    row = int(np.argmax(column))
    width = spectrum.frequency(row) / spectrum.frequency(row + 1)
    assert spectrum.frequency(row + 0.5) == pytest.approx(frequency, rel=max(width - 1, 6.0 / frequency))
    assert column[row] == pytest.approx(-6.0, abs=1.5)


def test_rows_and_frequencies_are_inverses() -> None:
    spectrum = LogSpectrum(200, 44_100)
    assert all(spectrum.row(spectrum.frequency(row)) == pytest.approx(row, abs=1e-6) for row in (0, 1, 77.5, 200))


def test_silence_is_the_floor() -> None:
    assert float(LogSpectrum(100, RATE).column(np.zeros(LONG, np.float32)).max()) == pytest.approx(-130.0)


@pytest.mark.parametrize("shift", [0, 31, 87])
def test_the_trigger_finds_a_rising_crossing(shift: int) -> None:
    audio = tone(200.0, 4096 + shift)[shift:]
    start = trigger(audio, 960)
    assert audio[start] < 0.0 <= audio[start + 1]
    assert audio[start + 60] == pytest.approx(1.0, abs=0.05)


def test_the_trigger_shows_the_newest_where_there_is_no_crossing() -> None:
    assert trigger(np.zeros(1000, np.float32), 200) == 800


def test_the_spectrogram_scrolls_freezes_and_reads_out(qtbot: QtBot, page: Telemetry) -> None:
    widget = Spectrogram()
    qtbot.addWidget(widget)
    widget.resize(200, 120)
    widget.show()
    for block in np.split(tone(440.0, 48_000), 50):
        feed(page, block)
        widget.read(page)
    y = widget._spectrum.row(440.0) / widget._spectrum.rows * widget.height()
    words = widget.readout(QPointF(198.0, y))
    assert words.split()[0].startswith("4") and "A4" in words and words.endswith(" dB")
    assert int(words.split()[-2]) > -6
    before = widget._pixels.copy()
    widget.freeze(True)
    feed(page, tone(2000.0, 4800))
    widget.read(page)
    assert np.array_equal(before, widget._pixels)
    widget.set_colour_map(colour_maps.NAMES[1])
    assert not np.array_equal(before, widget._pixels)


def test_the_spectrogram_survives_resizing_a_restart_and_another_rate(qtbot: QtBot, page: Telemetry) -> None:
    widget = Spectrogram()
    qtbot.addWidget(widget)
    widget.resize(300, 100)
    widget.show()
    feed(page, tone(440.0, 24_000))
    widget.read(page)
    widget.resize(180, 160)
    page.data["position"] = 0  # a new engine begins at sample 0
    feed(page, tone(440.0, 24_000))
    page.data["sample_rate"] = 44_100
    widget.read(page)
    widget.grab()
    assert widget._levels.shape == (160, 180)


def test_harmonics_read_number_frequency_and_level(qtbot: QtBot, page: Telemetry) -> None:
    widget = Harmonics()
    qtbot.addWidget(widget)
    page.data["partials"][:4] = [1.0, 0.1, 0.0, 0.5]
    page.data["n_partials"], page.data["f0_hz"] = 4, 220.0
    widget.read(page)
    assert widget.readout(2) == "partial 2   440 Hz   -20.0 dB"
    assert widget.readout(3) == "partial 3   660 Hz   silent"
    assert [widget.partial_at(x) for x in (0.0, 31.0, widget.width() - 10.0)] == [0, 1, 4]
    page.data["n_partials"] = 0
    widget.read(page)
    assert widget.readout(2) == "partial 2   440 Hz   -23.0 dB", "bars fall, they do not vanish"


def test_the_clip_light_stays_until_it_is_clicked(qtbot: QtBot, page: Telemetry) -> None:
    meter = LevelMeter()
    qtbot.addWidget(meter)
    meter.read(page)
    assert not meter.clipped
    page.data["clipped"] = 3
    meter.read(page)
    meter.read(page)
    assert meter.clipped
    meter.reset_clip()
    meter.read(page)
    assert not meter.clipped


def test_the_load_meter_says_what_it_shows(qtbot: QtBot, page: Telemetry) -> None:
    meter = LoadMeter()
    qtbot.addWidget(meter)
    page.data["load"], page.data["load_peak"], page.data["dropouts"], page.data["voices"] = 0.25, 0.5, 1, 7
    meter.read(page)
    assert meter.words() == "load 25%, peak 50%, 1 dropout, 7 voices"


def test_the_scope_stands_still(qtbot: QtBot, page: Telemetry) -> None:
    scope = Scope()
    qtbot.addWidget(scope)
    scope.resize(300, 100)
    pictures = []
    for block in np.split(tone(200.0, 48_000), 100):
        feed(page, block)
        scope.read(page)
        pictures.append(scope._audio[0].copy())
    assert max(float(np.abs(one - pictures[-1]).max()) for one in pictures[40:]) < 0.05
    scope.grab()


@pytest.mark.parametrize("name", [*colour_maps.NAMES, "no such map"])
def test_colour_maps_grow_brighter(name: str) -> None:
    words = colour_maps.table(name)
    light = [QColor.fromRgba(int(word)).lightnessF() for word in words[::16]]
    assert all(after >= before - 0.02 for before, after in itertools.pairwise(light))


def test_text_is_readable() -> None:
    def luminance(name: str) -> float:
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(name).getRgbF()[:3]]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    def contrast(one: str, other: str) -> float:
        high, low = sorted((luminance(one), luminance(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert contrast(theme.TEXT, theme.PANEL) > 10.0
    assert contrast(theme.TEXT_SOFT, theme.PANEL) > 6.0
    assert contrast(theme.TEXT_FAINT, theme.PANEL) > 3.0


def test_fields_carry_their_marks(themed: QApplication) -> None:
    combo, box = QComboBox(), QCheckBox(checked=True)
    combo.resize(100, 26)
    box.resize(20, 20)
    arrow, mark = combo.grab(QRect(82, 6, 14, 14)).toImage(), box.grab(QRect(2, 4, 10, 12)).toImage()
    assert max(arrow.pixelColor(x, y).lightnessF() for x in range(14) for y in range(14)) > 0.5  # on the dark field
    assert min(mark.pixelColor(x, y).lightnessF() for x in range(2, 8) for y in range(2, 10)) < 0.3  # on the bright box
