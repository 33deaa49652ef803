"""The engine process, its devices, MIDI, transport and offline render, and the TensorFlow-free client that speaks to it."""
