"""Of many checkpoints some keep their sounds: spread evenly, with the first, the best and the last among them."""

from __future__ import annotations

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ddsp_studio.training import samples


@given(st.integers(1, 400), st.integers(0, 399))
def test_kept_sounds_are_spread_evenly(count: int, best: int) -> None:
    best = 20 * (best % count + 1)
    steps: list[int] = []
    for number in range(1, count + 1):
        steps = samples.spread([*steps, 20 * number], best if best <= 20 * number else None)
    assert len(steps) == min(count, samples.KEPT)
    assert {20, 20 * count} <= set(steps)
    gaps = [b - a for a, b in itertools.pairwise(steps)]
    assert not gaps or max(gaps) <= 2 * 20 * -(-count // (samples.KEPT - 2))


def test_the_best_is_never_removed(tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    folder.mkdir()
    rows = "".join(f"{step},{step / 2},{1.0 if step == 35 else 9.0}\n" for step in range(1, 101))
    (tmp_path / "scores.csv").write_text(f"step,seconds,spectral\n{rows}101,3.0,nan\n102,")
    (folder / "target.flac").touch()
    for step in range(1, 101):
        for suffix in (".flac", ".npz"):
            (folder / f"played-{step:07d}{suffix}").touch()
        samples.forget_old(folder)
    kept = sorted(int(path.stem[7:]) for path in folder.glob("played-*.flac"))
    assert len(kept) == samples.KEPT and {1, 35, 100} <= set(kept)
    assert {path.stem for path in folder.glob("*.npz")} == {f"played-{step:07d}" for step in kept}
    assert (folder / "target.flac").exists()
