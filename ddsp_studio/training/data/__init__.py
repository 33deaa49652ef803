"""Recordings and corpora: reading, judging, cutting into clips, feeding to a training."""
