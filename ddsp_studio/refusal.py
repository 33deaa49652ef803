"""What went wrong in one sentence, for whoever reads it on a terminal or in the window."""

from __future__ import annotations


def sentence(problem: BaseException) -> str:
    """The first line of an exception's text; of a problem with a file its name and the reason, without a number."""
    if isinstance(problem, OSError) and problem.strerror:
        return f"{problem.filename}: {problem.strerror}" if problem.filename else problem.strerror
    return (str(problem).strip() or type(problem).__name__).splitlines()[0]
