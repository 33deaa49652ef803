"""How far clips are varied in training: level, pitch and noise."""

from __future__ import annotations

from PySide6.QtWidgets import QDoubleSpinBox, QSizePolicy, QVBoxLayout, QWidget

_NO_NOISE_DB, _SOFTEST_DB = -120.0, -80.0
"""The setting for no noise, and the softest noise that is offered."""


class Variation(QWidget):
    """Three fields under one another. Level and pitch are varied as far as the recordings ask for, unless it is set here."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = _field(0.0, 24.0, 1.0, " dB", "auto level")
        self.gain.setToolTip(
            "Turn clips up and down by up to so many decibels: learns softer and louder notes than were recorded."
            " By itself it does where every note has one dynamic"
        )
        self.pitch = _field(0.0, 200.0, 10.0, " ct", "auto pitch")
        self.pitch.setToolTip(
            "Play clips faster and slower, by up to so many cents of pitch: learns the keys between those that were recorded."
            " By itself it does where few different notes were recorded"
        )
        self.noise = _field(_SOFTEST_DB, -20.0, 5.0, " dB", "no noise")
        self.noise.setToolTip("Add white noise of so many decibels of full scale: for what is to follow noisy recordings")
        for field in (self.gain, self.pitch):
            field.setPrefix("± ")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        for field, words in zip(self.fields, ("level", "pitch", "noise"), strict=True):
            field.setAccessibleName(f"Vary {words}")
            field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            field.setMinimumWidth(60)
            column.addWidget(field)
        self.setFocusProxy(self.gain)

    @property
    def fields(self) -> tuple[QDoubleSpinBox, ...]:
        """All that can be set."""
        return self.gain, self.pitch, self.noise

    @property
    def gain_db(self) -> float | None:
        """By how much level varies, dB; None for as much as the recordings ask for."""
        return _set(self.gain)

    @property
    def pitch_cents(self) -> float | None:
        """By how much pitch varies, cents; None for as much as the recordings ask for."""
        return _set(self.pitch)

    @property
    def noise_db(self) -> float:
        """Level of the noise in dB of full scale; −120 for none."""
        value = _set(self.noise)
        return _NO_NOISE_DB if value is None else value


def _field(least: float, most: float, step: float, unit: str, words: str) -> QDoubleSpinBox:
    """A field that shows words, one step below its least value, for what is not set."""
    field = QDoubleSpinBox(minimum=least - step, maximum=most, singleStep=step, decimals=0, suffix=unit)
    field.setSpecialValueText(words)
    field.setValue(field.minimum())
    return field


def _set(field: QDoubleSpinBox) -> float | None:
    """What a field is set to; what is typed between words and the least value is that."""
    return None if field.value() == field.minimum() else max(field.value(), field.minimum() + field.singleStep())
