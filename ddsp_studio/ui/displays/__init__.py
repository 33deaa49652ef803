"""Live pictures of the sound: spectrogram, harmonics, scope, meters."""
