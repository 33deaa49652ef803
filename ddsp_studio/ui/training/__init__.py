"""Training in the window: recordings in, an instrument out."""
