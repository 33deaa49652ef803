"""`ddsp-studio doctor`: what this computer has, what it lacks, and what to do about each lack."""

from ddsp_studio.doctor.report import report

__all__ = ["report"]
