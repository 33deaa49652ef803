"""Painted widgets for values: knob, number field, bars, option selectors."""
