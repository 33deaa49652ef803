"""Processors, the patch document, and its compilation into the instrument that plays, renders and learns."""
