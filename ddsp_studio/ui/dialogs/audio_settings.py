"""Audio and MIDI settings. Every change is used at once; what the engine makes of it is said below."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from ddsp_studio.audio import protocol

RATES = (44_100, 48_000, 88_200, 96_000, 176_400, 192_000)
BLOCKS = (64, 128, 256, 512, 1024, 2048)
MODES = {"poly": "Polyphonic", "mono": "Monophonic: each note triggers", "legato": "Legato: overlapping notes glide"}
SILENT = "none"
_SETTLE_MS = 250
_LEVEL_RANGE_DB, _FALL_DB = 60, 2


class AudioSettingsDialog(QDialog):
    """Emits `changed(AudioSettings)` shortly after the last change, `test_tone` and `rescan`."""

    changed = Signal(object)
    test_tone = Signal()
    rescan = Signal()

    def __init__(self, settings: protocol.AudioSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Audio and MIDI settings")
        self.setMinimumWidth(760)
        self._wanted = settings
        self._devices: tuple[protocol.Device, ...] = ()
        self._inputs: tuple[protocol.Device, ...] = ()
        self._ports: tuple[str, ...] = ()
        self._settle = QTimer(self, interval=_SETTLE_MS, singleShot=True)
        self._settle.timeout.connect(lambda: self.changed.emit(self.settings()))
        self._make_fields()
        columns = QHBoxLayout()
        columns.setSpacing(10)
        for groups in ((self._output_group(), self._playing_group()), (self._input_group(), self._midi_group())):
            column = QVBoxLayout()
            column.setSpacing(10)
            column.addWidget(groups[0])
            column.addWidget(groups[1], 1)
            columns.addLayout(column, 1)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addLayout(columns)
        layout.addLayout(self._buttons())
        self._fill_devices()
        self._fill_ports()
        self._show_settings()
        self._connect()

    # -- fields -------------------------------------------------------------------------------------------------------

    def _make_fields(self) -> None:
        self.device, self.rate, self.block, self.mode = QComboBox(), QComboBox(), QComboBox(), QComboBox()
        self.input = QComboBox()
        self.input_level = QProgressBar(minimum=-_LEVEL_RANGE_DB, maximum=0, value=-_LEVEL_RANGE_DB, textVisible=False)
        self.input_level.setFixedHeight(8)
        self.input_level.setAccessibleName("Input level")
        self.input_state = QLabel("")
        self.input_state.setWordWrap(True)
        self.safety = _spin(1, 8, " blocks")
        self.voices = _spin(1, 64, " voices")
        self.gain = QDoubleSpinBox(minimum=-60.0, maximum=12.0, singleStep=1.0, decimals=1, suffix=" dB")
        self.gain.setMaximumWidth(130)
        self.all_ports = QCheckBox("Listen to every MIDI input, also to those plugged in later")
        self.ports = QListWidget()
        self.ports.setMinimumHeight(92)
        self.ports.setWordWrap(True)
        self.ports.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.state = QLabel("Starting sound…")
        self.state.setWordWrap(True)
        self.state.setMinimumHeight(48)
        self.state.setAlignment(Qt.AlignmentFlag.AlignTop)
        for rate in RATES:
            self.rate.addItem(f"{rate / 1000:g} kHz", rate)
        for key, words in MODES.items():
            self.mode.addItem(words, key)

    def _output_group(self) -> QGroupBox:
        self.safety.setToolTip("How many blocks are rendered ahead. More blocks survive a busier computer and answer later.")
        return _group(
            "Output",
            ("Device", self.device),
            ("Sample rate", self.rate),
            ("Buffer", self.block),
            ("Safety", self.safety),
            ("Master level", self.gain),
            ("Now", self.state),
        )

    def _input_group(self) -> QGroupBox:
        self.input.setToolTip("What an AudioInput node hears. It is opened when a patch listens, and shares the output's clock.")
        self.input_level.setToolTip("Peak of what comes in, from -60 dB to full scale")
        return _group("Input", ("Device", self.input), ("Level", self.input_level), ("Now", self.input_state))

    def _playing_group(self) -> QGroupBox:
        return _group("Playing", ("Mode", self.mode), ("Polyphony", self.voices))

    def _midi_group(self) -> QGroupBox:
        group = QGroupBox("MIDI inputs")
        layout = QVBoxLayout(group)
        layout.addWidget(self.all_ports)
        layout.addWidget(self.ports)
        return group

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for text, signal in (("Test tone", self.test_tone), ("Look for devices again", self.rescan)):
            button = QPushButton(text, autoDefault=False)
            button.clicked.connect(lambda _checked=False, signal=signal: signal.emit())
            row.addWidget(button)
        row.addStretch(1)
        close = QPushButton("Close", default=True)
        close.clicked.connect(self.accept)
        row.addWidget(close)
        return row

    def _connect(self) -> None:
        for combo in (self.device, self.input, self.rate, self.block, self.mode):
            combo.activated.connect(self._touched)
        for spin in (self.safety, self.voices, self.gain):
            spin.valueChanged.connect(self._touched)
        self.all_ports.toggled.connect(self._touched)
        self.ports.itemChanged.connect(self._touched)

    def _touched(self) -> None:
        self.ports.setEnabled(not self.all_ports.isChecked())
        self._wanted = self.settings()
        self._fill_blocks()
        self._settle.start()

    # -- contents -----------------------------------------------------------------------------------------------------

    def show_devices(self, devices: protocol.Devices) -> None:
        """List what is plugged in now. A chosen device that is gone stays chosen and is marked."""
        self._devices, self._ports = tuple(devices.outputs), tuple(devices.midi_inputs)
        self._inputs = tuple(devices.inputs)
        self._fill_devices()
        self._fill_ports()

    def show_status(self, status: protocol.Status) -> None:
        """Say what output and input do."""
        self.state.setText(describe(status))
        self.input_state.setText(describe_input(status))

    def show_input_level(self, peak: float) -> None:
        """Show the peak of what comes in, 1 being full scale. It falls slowly, so that the eye can follow."""
        level = round(20.0 * math.log10(max(peak, 1e-6)))
        self.input_level.setValue(max(level, self.input_level.value() - _FALL_DB, -_LEVEL_RANGE_DB))

    def _fill_devices(self) -> None:
        _fill(self.device, self._devices, self._wanted.device, "No device (silent; export works)")
        _fill(self.input, self._inputs, self._wanted.input, "Never listen")

    def _fill_blocks(self) -> None:
        self.block.clear()
        for block in sorted({*BLOCKS, self._wanted.block}):
            self.block.addItem(f"{block} samples  ({1000 * block / self._wanted.sample_rate:.1f} ms)", block)
        self.block.setCurrentIndex(self.block.findData(self._wanted.block))

    def _fill_ports(self) -> None:
        wanted = self._wanted.midi_ports
        self.ports.blockSignals(True)
        self.ports.clear()
        for name in dict.fromkeys((*self._ports, *(wanted or ()))):
            item = QListWidgetItem(name if name in self._ports else f"{name}  (not connected)")
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setCheckState(Qt.CheckState.Checked if wanted is None or name in wanted else Qt.CheckState.Unchecked)
            self.ports.addItem(item)
        if not self.ports.count():
            hint = QListWidgetItem("No MIDI input is connected. The keyboard below and the computer's keys play, too.")
            hint.setFlags(Qt.ItemFlag.NoItemFlags)
            self.ports.addItem(hint)
        self.ports.blockSignals(False)

    def _show_settings(self) -> None:
        wanted = self._wanted
        if self.rate.findData(wanted.sample_rate) < 0:
            self.rate.addItem(f"{wanted.sample_rate / 1000:g} kHz", wanted.sample_rate)
        self.rate.setCurrentIndex(self.rate.findData(wanted.sample_rate))
        self.mode.setCurrentIndex(max(self.mode.findData(wanted.mode), 0))
        self._fill_blocks()
        self.safety.setValue(wanted.safety_blocks)
        self.voices.setValue(wanted.voices)
        self.gain.setValue(wanted.gain_db)
        self.all_ports.setChecked(wanted.midi_ports is None)
        self.ports.setEnabled(wanted.midi_ports is not None)

    def settings(self) -> protocol.AudioSettings:
        """What is chosen."""
        items = [self.ports.item(row) for row in range(self.ports.count())]
        chosen = [item.data(Qt.ItemDataRole.UserRole) for item in items if item.checkState() == Qt.CheckState.Checked]
        return protocol.AudioSettings(
            device=self.device.currentData(),
            sample_rate=self.rate.currentData(),
            block=self.block.currentData(),
            safety_blocks=self.safety.value(),
            voices=self.voices.value(),
            mode=self.mode.currentData(),
            midi_ports=None if self.all_ports.isChecked() else [name for name in chosen if name],
            gain_db=self.gain.value(),
            input=self.input.currentData(),
        )


def describe(status: protocol.Status) -> str:
    """What the output does, in words."""
    if status.state == "failed":
        return status.message or "There is no sound."
    where = "No sound device; the clock runs silently" if status.state == "silent" else status.device or "System default"
    facts = f"{where} · {status.sample_rate / 1000:g} kHz · {status.block} samples · {status.latency_ms:.1f} ms latency"
    return f"{facts}\n{status.message}" if status.message else facts


def describe_input(status: protocol.Status) -> str:
    """What the input does, in words."""
    if not status.input:
        return "Nothing is open; an input is opened when a patch with an AudioInput plays."
    return f"{status.input} · {status.input_latency_ms:.1f} ms from sound in to sound out"


def _fill(combo: QComboBox, devices: Sequence[protocol.Device], wanted: str, without: str) -> None:
    combo.clear()
    combo.addItem("System default", "")
    for device in devices:
        channels = "1 channel" if device.channels == 1 else f"{device.channels} channels"
        combo.addItem(f"{device.name}  ({device.host}, {channels})", device.key)
    combo.addItem(without, SILENT)
    if combo.findData(wanted) < 0:  # older settings hold the bare name
        wanted = next((device.key for device in devices if device.name == wanted), wanted)
    if combo.findData(wanted) < 0:
        combo.insertItem(1, f"{wanted}  (not connected)", wanted)
    combo.setCurrentIndex(combo.findData(wanted))


def _spin(low: int, high: int, suffix: str) -> QSpinBox:
    field = QSpinBox(minimum=low, maximum=high)
    field.valueChanged.connect(lambda value: field.setSuffix(suffix if value != 1 else suffix.removesuffix("s")))
    field.setSuffix(suffix.removesuffix("s"))
    field.setMaximumWidth(130)
    return field


def _group(title: str, *rows: tuple[str, QWidget]) -> QGroupBox:
    group = QGroupBox(title)
    form = QFormLayout(group)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    form.setHorizontalSpacing(12)
    for label, widget in rows:
        form.addRow(label, widget)
    return group
