"""How far clips are varied in training: level, pitch and noise."""

from __future__ import annotations

from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSizePolicy, QWidget

_NO_NOISE_DB, _SOFTEST_DB = -120.0, -80.0
"""The setting for no noise, and the softest noise that is offered."""


class Variation(QWidget):
    """Three fields side by side; at their lowest nothing is varied, and they say so in words."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = _field(24.0, 1.0, "dB", "same level")
        self.gain.setToolTip(
            "Turn clips up and down by up to so many decibels as they are learned from: softer and louder notes than were recorded"
        )
        self.pitch = _field(200.0, 10.0, "ct", "same pitch")
        self.pitch.setToolTip(
            "Play clips faster and slower, by up to so many cents of pitch: for few different notes; their colour moves along"
        )
        self.noise = QDoubleSpinBox(minimum=_SOFTEST_DB - 5.0, maximum=-20.0, singleStep=5.0, decimals=0, suffix=" dB")
        self.noise.setSpecialValueText("no noise")
        self.noise.setValue(self.noise.minimum())
        self.noise.setToolTip("Add white noise of so many decibels of full scale: for what is to follow noisy recordings")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for field, words in zip(self.fields, ("level", "pitch", "noise"), strict=True):
            field.setAccessibleName(f"Vary {words}")
            field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            field.setMinimumWidth(60)
            row.addWidget(field, 1)
        self.setFocusProxy(self.gain)

    @property
    def fields(self) -> tuple[QDoubleSpinBox, ...]:
        """All that can be set."""
        return self.gain, self.pitch, self.noise

    @property
    def noise_db(self) -> float:
        """Level of the noise in dB of full scale; −120 for none."""
        value = self.noise.value()
        return value if value >= _SOFTEST_DB else _NO_NOISE_DB


def _field(most: float, step: float, unit: str, none: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox(maximum=most, singleStep=step, decimals=0, prefix="± ", suffix=f" {unit}")
    field.setSpecialValueText(none)
    return field
