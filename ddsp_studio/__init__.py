"""ddsp_studio: a synthesizer whose patch is played live, rendered offline and trained by gradient."""

__version__ = "0.1.0"
