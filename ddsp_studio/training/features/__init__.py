"""What is heard in a recording: pitch, loudness, notes; in numpy, so that the studio can show them without TensorFlow."""
