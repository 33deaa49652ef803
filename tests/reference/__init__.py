"""Parity with magenta/ddsp on its own recorded cases."""
