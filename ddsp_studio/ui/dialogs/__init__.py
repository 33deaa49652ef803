"""Dialogs: audio settings, export, command palette, shortcuts, about."""
