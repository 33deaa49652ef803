"""The processor contract, the declaration language and the patch document."""
