"""Measurements of speed: `ddsp-studio bench`."""
