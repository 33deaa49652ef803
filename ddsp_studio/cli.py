"""The command line: `ddsp-studio` opens the window; its commands render, check, list, examine and measure.

Exit codes: 0 done, 1 refused input or failed, 2 wrong usage, 130 interrupted, 143 ended by SIGTERM. A refusal is one sentence on
standard error.
Commands import what they need when they run, so that `--help` is instant.
"""

from __future__ import annotations

import enum
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ddsp_studio import __version__, resources
from ddsp_studio.cli_commands.terminal import harmless
from ddsp_studio.refusal import sentence

app = typer.Typer(
    name="ddsp-studio",
    help="A synthesizer studio: the patch that you draw is the instrument that you play and the model that you train.",
    epilog="Without a command the studio's window opens.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class BitDepth(str, enum.Enum):
    """Sample formats of an exported file."""

    PCM_16 = "16"
    PCM_24 = "24"
    FLOAT_32 = "32"


class Mode(str, enum.Enum):
    """How keys are given to voices."""

    POLY = "poly"
    MONO = "mono"
    LEGATO = "legato"


class Normalise(str, enum.Enum):
    """How an exported file is brought to level."""

    OFF = "off"
    PEAK = "peak"
    LUFS = "lufs"


_DEMOS = ", ".join(resources.factory(resources.MIDI))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ddsp-studio {__version__}")
        raise typer.Exit


def _whole_hops(block: int) -> int:
    if block % 64:
        raise typer.BadParameter(f"a block is a whole number of hops of 64 samples, got {block}")
    return block


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of failures.")] = False,
) -> None:
    """Open the studio's window, unless a command is given."""
    if debug:
        os.environ["DDSP_STUDIO_DEBUG"] = "1"
    if context.invoked_subcommand is None:
        _open_window(None)


@app.command("open")
def open_patch(
    patch: Annotated[str | None, typer.Argument(help="Patch file, or the name of a factory patch.", show_default=False)] = None,
) -> None:
    """Open the window, with a patch if one is given."""
    _open_window(None if patch is None else resources.find(resources.PATCHES, patch))


def _open_window(patch: Path | None) -> None:
    from ddsp_studio.cli_commands import window

    raise typer.Exit(window.open_window(patch))


@app.command()
def render(
    patch: Annotated[str, typer.Argument(help="Patch or model file, name of a shipped one, or a .take, which brings its own.")],
    midi: Annotated[
        str | None, typer.Argument(help=f"MIDI file, .take, or a demo: {_DEMOS}; without one, a held chord.", show_default=False)
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Audio file to write: .wav or .flac.")] = ...,  # type: ignore[assignment]
    sample_rate: Annotated[
        int | None, typer.Option(min=8_000, max=192_000, help="Sample rate in Hz.", show_default="the take's, or 48000")
    ] = None,
    block: Annotated[int, typer.Option(min=64, max=65_536, callback=_whole_hops, help="Samples rendered at a time.")] = 4_800,
    bit_depth: Annotated[BitDepth, typer.Option(help="Bits a sample; 32 is floating point.")] = BitDepth.PCM_24,
    tail: Annotated[
        float | None, typer.Option(min=0.0, max=600.0, help="Seconds after the end.", show_default="until it is quiet")
    ] = None,
    voices: Annotated[
        int | None, typer.Option(min=1, max=64, help="Voices that can sound at once.", show_default="the take's, or 8")
    ] = None,
    mode: Annotated[Mode | None, typer.Option(help="How keys are given to voices.", show_default="the take's, or poly")] = None,
    normalise: Annotated[Normalise, typer.Option(help="Bring the file to full level, or to a loudness.")] = Normalise.OFF,
    target: Annotated[float, typer.Option(min=-60.0, max=-3.0, help="Loudness for --normalise lufs, in LUFS.")] = -16.0,
    dither: Annotated[bool, typer.Option("--dither/--no-dither", help="Triangular dither when writing 16 bits.")] = True,
    heard: Annotated[
        Path | None, typer.Option("--input", help="Sound file that the patch hears, or is played by.", show_default=False)
    ] = None,
    mono: Annotated[bool, typer.Option("--mono", help="Write one channel.")] = False,
    seconds: Annotated[
        float | None, typer.Option(min=0.01, max=86_400.0, help="Length of the performance.", show_default="all")
    ] = None,
    begin: Annotated[float, typer.Option("--start", min=0.0, max=86_400.0, help="Leave out what is before, in seconds.")] = 0.0,
    stop: Annotated[float | None, typer.Option(min=0.0, max=86_400.0, help="End here, in seconds, without a tail.")] = None,
    progress_json: Annotated[bool, typer.Option("--progress-json", help="Progress as JSON lines on standard output.")] = False,
) -> None:
    """Render a patch, played by a MIDI file, or a recorded take, to an audio file: the same samples as live playing."""
    from ddsp_studio.cli_commands import render as command

    job = command.Job(
        patch=patch,
        midi=midi,
        output=output,
        sample_rate=sample_rate,
        block=block,
        bits="32f" if bit_depth is BitDepth.FLOAT_32 else bit_depth.value,
        tail_s=tail,
        voices=voices,
        mode=mode.value if mode else None,
        normalise=None if normalise is Normalise.OFF else normalise.value,
        target_lufs=target,
        dither=dither,
        heard=heard,
        mono=mono,
        seconds=seconds,
        start_s=begin,
        stop_s=stop,
    )
    command.render(job, as_json=progress_json)


@app.command()
def check(patch: Annotated[str, typer.Argument(help="Patch file, or the name of a factory patch.")]) -> None:
    """Say whether a patch is sound; if not, which node, which port and why."""
    from ddsp_studio.cli_commands import catalogue

    typer.echo(catalogue.verdict(patch))


@app.command()
def processors(
    name: Annotated[str | None, typer.Argument(help="Show one processor only.", show_default=False)] = None,
    json: Annotated[bool, typer.Option("--json", help="Print data for other programs.")] = False,
    pages: Annotated[
        Path | None, typer.Option(help="Write the pages of documentation into this folder.", show_default=False)
    ] = None,
) -> None:
    """List every processor with the unit, range, law and default of its controls."""
    from ddsp_studio.cli_commands import catalogue

    if pages is not None:
        from ddsp_studio.cli_commands.pages import write
        from ddsp_studio.quiet import load_tensorflow

        load_tensorflow()
        typer.echo("\n".join(map(str, write(pages))))
        return
    catalogue.show(name, as_json=json)


@app.command()
def analyze(
    audio: Annotated[list[Path], typer.Argument(help="Sound files, folders of them, or data sets.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Picture .png, table .csv or data .json to write instead.", show_default=False),
    ] = None,
    pictures: Annotated[Path, typer.Option(help="Folder to draw the recordings into.")] = Path("out/analysis"),
    draw: Annotated[bool, typer.Option("--draw/--no-draw", help="Whether to draw them.")] = True,
    sample_rate: Annotated[int, typer.Option(min=8_000, max=96_000, help="Sample rate of the analysis in Hz.")] = 16_000,
    low: Annotated[float, typer.Option(min=20.0, max=1_000.0, help="Lowest pitch in Hz.")] = 60.0,
    high: Annotated[float, typer.Option(min=100.0, max=5_000.0, help="Highest pitch in Hz.")] = 2_500.0,
    engine: Annotated[str, typer.Option(help="Pitch tracker: autocorrelation or swift-f0.")] = "autocorrelation",
) -> None:
    """Listen to recordings: pitch, loudness, notes, minutes to learn from, and what is wrong with them."""
    from ddsp_studio.cli_commands import analyze as command
    from ddsp_studio.training.data.store import Analysis

    if high < 2.0 * low:
        raise typer.BadParameter(f"--high is an octave above --low at least, got {low:g} to {high:g} Hz")
    raise typer.Exit(command.analyze(audio, output, Analysis(sample_rate, low, high, engine), pictures if draw else None))


class Size(str, enum.Enum):
    """Sizes of networks."""

    TINY = "tiny"
    SMALL = "small"
    FULL = "full"


class Precision(str, enum.Enum):
    """Precision of the networks' products; auto is mixed on a GPU that is quicker so."""

    AUTO = "auto"
    FLOAT32 = "float32"
    MIXED = "mixed"


@app.command()
def train(
    context: typer.Context,
    audio: Annotated[
        list[Path] | None,
        typer.Argument(help="Recordings: files or folders; NSynth, MAESTRO, TFRecords of magenta/ddsp.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the training.")] = Path("training"),
    patch: Annotated[str, typer.Option(help="Template, patch file or factory patch to train.")] = "solo_instrument",
    name: Annotated[str, typer.Option(help="What the instrument is called.", show_default="after the recordings")] = "",
    size: Annotated[Size | None, typer.Option(help="Size of the networks.", show_default="the patch's")] = None,
    minutes: Annotated[
        float, typer.Option(min=0.05, max=100_000.0, help="How long to train; with --resume, how long in all.")
    ] = 5.0,
    steps: Annotated[
        int, typer.Option(min=0, help="Train so many steps instead; with --resume, so many in all.", show_default="by minutes")
    ] = 0,
    sample_rate: Annotated[int, typer.Option(min=8_000, max=96_000, help="Sample rate to learn at, in Hz.")] = 16_000,
    clip: Annotated[float, typer.Option(min=0.0, max=30.0, help="Seconds of a clip.", show_default="2")] = 0.0,
    batch: Annotated[int, typer.Option(min=0, max=256, help="Clips in a step.", show_default="4")] = 0,
    rate: Annotated[float, typer.Option(min=0.0, max=0.1, help="Largest learning rate.", show_default="0.005")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, order and variation.")] = 1,
    octave: Annotated[int, typer.Option(min=-4, max=4, help="Octaves to move the recordings' pitch by.")] = 0,
    engine: Annotated[str, typer.Option(help="Pitch tracker: autocorrelation or swift-f0.")] = "autocorrelation",
    family: Annotated[
        list[str] | None, typer.Option(help="Of NSynth: family of instruments (string, flute, …); may be repeated.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Of NSynth: acoustic, electronic or synthetic; may be repeated.")
    ] = None,
    instrument: Annotated[
        list[str] | None, typer.Option(help="Of NSynth: one instrument (string_acoustic_014); may be repeated.")
    ] = None,
    pitch: Annotated[str, typer.Option(help="Of NSynth: MIDI keys, as 48-72 or 60.", show_default="all")] = "",
    velocity: Annotated[str, typer.Option(help="Of NSynth: velocities, as 75-127 or 100.", show_default="all")] = "",
    split: Annotated[
        list[str] | None,
        typer.Option(help="Of NSynth and MAESTRO: train, validation or test; may be repeated.", show_default="all"),
    ] = None,
    augment_gain: Annotated[
        float | None,
        typer.Option(min=0.0, max=24.0, help="Vary the level of clips by up to so many dB.", show_default="6 if one dynamic"),
    ] = None,
    augment_pitch: Annotated[
        float | None,
        typer.Option(min=0.0, max=200.0, help="Vary the pitch of clips by up to so many cents.", show_default="200 if few notes"),
    ] = None,
    augment_noise: Annotated[
        float, typer.Option(min=-120.0, max=-20.0, help="Add white noise of so many dB of full scale; -120 for none.")
    ] = -120.0,
    precision: Annotated[Precision, typer.Option(help="mixed: networks multiply in bfloat16.")] = Precision.AUTO,
    licence: Annotated[
        str, typer.Option(help="Licence of the recordings; it stays with the model.", show_default="not stated")
    ] = "",
    checkpoint_steps: Annotated[
        int, typer.Option(min=0, help="Steps between checkpoints.", show_default="one checkpoint a minute")
    ] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the training in the folder.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Events as JSON lines on standard output.")] = False,
) -> None:
    """Learn an instrument from recordings; Ctrl+C stops and keeps what was learned."""
    from ddsp_studio.cli_commands import train as command

    if resume:
        given = {name for name in context.params if _is_given(context, name)}
        command.resume(out, given, steps=steps, minutes=minutes, as_json=json)
        return
    if not audio:
        raise typer.BadParameter("name the recordings to learn from, or --resume a training")
    job = command.Job(
        audio=tuple(audio),
        patch=patch,
        out=out,
        name=name,
        size=size.value if size else "",
        minutes=minutes,
        steps=steps,
        sample_rate=sample_rate,
        clip_s=clip,
        batch=batch,
        rate=rate,
        seed=seed,
        octave=octave,
        engine=engine,
        families=tuple(family or ()),
        origins=tuple(source or ()),
        instruments=tuple(instrument or ()),
        pitch=pitch,
        velocity=velocity,
        splits=tuple(split or ()),
        gain_db=augment_gain,
        pitch_cents=augment_pitch,
        noise_db=augment_noise,
        precision=precision.value,
        licence=licence,
        checkpoint_steps=checkpoint_steps,
    )
    command.train(job, as_json=json)


def _is_given(context: typer.Context, name: str) -> bool:
    """Whether an option or argument was written on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


@app.command()
def transfer(
    source: Annotated[Path, typer.Argument(help="A recording of one voice or instrument.")],
    model: Annotated[str, typer.Option("--model", "-m", help="Model file, or the name of a shipped model.")] = ...,  # type: ignore[assignment]
    output: Annotated[Path, typer.Option("--output", "-o", help="Sound file to write.")] = ...,  # type: ignore[assignment]
    octaves: Annotated[
        int | None, typer.Option(min=-4, max=4, help="Octaves to move the pitch by.", show_default="fitted")
    ] = None,
    gain: Annotated[
        float | None, typer.Option(min=-60.0, max=60.0, help="How much harder than recorded to play, dB.", show_default="fitted")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print progress and result as JSON lines.")] = False,
) -> None:
    """Play a recording's pitch and loudness on a trained instrument.

    How hard it plays changes its timbre, as on the instrument itself; it is heard as loud as the recording.
    """
    from ddsp_studio.cli_commands import transfer as command

    typer.echo(command.transfer(source, model, output, octaves=octaves, gain_db=gain, as_json=json), err=True)


@app.command()
def evaluate(
    audio: Annotated[list[Path], typer.Argument(help="Recordings: files or folders.")],
    model: Annotated[str, typer.Option("--model", "-m", help="Model file, or the name of a shipped model.")] = ...,  # type: ignore[assignment]
    json: Annotated[bool, typer.Option("--json", help="Print data for other programs.")] = False,
) -> None:
    """Let a model play recordings by their own pitch and loudness, and say how near it comes."""
    from ddsp_studio.cli_commands import transfer as command

    typer.echo(command.evaluate(model, audio, as_json=json))


@app.command()
def model(
    model: Annotated[str, typer.Argument(help="Model file, or the name of a shipped model.")],
    json: Annotated[bool, typer.Option("--json", help="Print data for other programs.")] = False,
) -> None:
    """Say what is in a model: what it plays, what it learned from, and how well."""
    from ddsp_studio.cli_commands import train as command

    typer.echo(command.describe(model, as_json=json))


@app.command()
def doctor(json: Annotated[bool, typer.Option("--json", help="Print data for other programs.")] = False) -> None:
    """Examine this computer: Python, TensorFlow, GPU, window, audio, MIDI; say what to do about each lack."""
    from ddsp_studio.doctor.report import report

    raise typer.Exit(report(as_json=json))


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.")] = Path("out"),
    window: Annotated[bool, typer.Option("--window/--no-window", help="Draw the window, too.")] = True,
) -> None:
    """Render the demo performance to a WAV and the window, without a display, to a PNG."""
    from ddsp_studio.cli_commands import demo as command

    raise typer.Exit(command.run(out, window=window))


@app.command()
def gallery(
    names: Annotated[
        list[str] | None, typer.Argument(help="Processors; all of them if none is named.", show_default=False)
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the sounds.")] = Path("out/gallery"),
    pictures: Annotated[
        Path | None, typer.Option(help="Folder for the pictures, if it is another one.", show_default=False)
    ] = None,
) -> None:
    """Render an example of each processor, draw its spectrogram, and say in numbers what is heard."""
    from ddsp_studio.cli_commands import gallery as command

    raise typer.Exit(command.run(names or [], output, pictures))


@app.command()
def bench(
    json: Annotated[Path | None, typer.Option("--json", help="Write the measurements here, too.", show_default=False)] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Dropouts and key-to-sound latency on a real audio server.")] = False,
    xla: Annotated[bool, typer.Option("--xla", help="The patch under XLA: same output? what speed?")] = False,
    edits: Annotated[bool, typer.Option("--edits", help="Time from a structural edit to its first block.")] = False,
    clips: Annotated[bool, typer.Option("--clips", help="Whole clips as in training: time and peak memory.")] = False,
    nodes: Annotated[bool, typer.Option("--nodes", help="What each processor adds to a block of 256 samples.")] = False,
    startup: Annotated[bool, typer.Option("--startup", help="Time until the window is visible and sound is ready.")] = False,
    training: Annotated[bool, typer.Option("--training", help="Dropouts of live playing without and with a training.")] = False,
    stablehlo: Annotated[
        Path | None, typer.Option(help="Write the compiled patch as StableHLO, for other runtimes.", show_default=False)
    ] = None,
) -> None:
    """Measure speed on this machine, beside a plain baseline in the same run."""
    from ddsp_studio.bench import suite

    wanted = {"live": live, "xla": xla, "edits": edits, "startup": startup, "clips": clips, "nodes": nodes, "training": training}
    chosen = [name for name, asked in wanted.items() if asked]
    raise typer.Exit(suite.run(chosen, quick=quick, json_path=json, stablehlo=stablehlo))


def _terminate(*_: Any) -> None:
    raise SystemExit(143)  # unwinds the stack, so that half-written files are removed


def main() -> int:
    """Run the command line; returns only for a refusal or failure, which it has put in one sentence on standard error."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except Exception as problem:
        if "DDSP_STUDIO_DEBUG" in os.environ:
            raise
        expected = isinstance(problem, (OSError, ValueError))
        text = sentence(problem) if expected else f"failed: {type(problem).__name__}: {sentence(problem)} (more with --debug)"
        sys.stderr.write(f"ddsp-studio: {harmless(text)}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
