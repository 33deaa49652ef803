"""The device keeper: opens the output that the user wants, notices its loss, plays on silently, and brings it back.

Thread rule: `Keeper` is a thread of its own; `configure` and `rescan` may be called on any thread and never wait. Everything
slow or dangerous about sound devices happens here, never on the render thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ddsp_studio.audio.devices import (
    DeviceMissing,
    Listed,
    PortAudio,
    default_sample_rate,
    find_input,
    find_output,
    hardware_mark,
    is_there,
    list_devices,
)
from ddsp_studio.audio.live import LiveThread
from ddsp_studio.audio.output import DeviceOutput, Output, SilentOutput
from ddsp_studio.audio.protocol import AudioSettings

_WATCH_S = 0.2
_SETTINGS_WAIT_S = 1.0
_RETRY_S = 10.0
"""Seconds between looks for a missing output where nothing told that the hardware changed."""
_SETTLE_S = 0.5
_CLOSE_S = 3.0
_logger = logging.getLogger(__name__)

OnStatus = Callable[[str, Output, str], None]


class Keeper(threading.Thread):
    """Keeps the live thread supplied with an output."""

    def __init__(self, live: LiveThread, on_status: OnStatus, on_devices: Callable[[Listed], None]) -> None:
        """`on_status(state, output, sentence)` and `on_devices(listed)` are called on this thread."""
        super().__init__(name="devices", daemon=True)
        self.settings = AudioSettings()
        self.decided = threading.Event()
        """Set once it is known for the first time which output, and so which sample rate, is used."""
        self._live, self._on_status, self._on_devices = live, on_status, on_devices
        self._wake = threading.Event()
        self._reopen = self._rescan = True
        self._configured = False
        self._ending = False
        self._retry_at = 0.0
        self._mark = hardware_mark()
        self._listed: Listed | None = None
        self._deaf = False
        """Whether the input could not be had with this output and these settings."""
        self._stuck: threading.Thread | None = None
        self._portaudio = PortAudio()

    def configure(self, settings: AudioSettings) -> None:
        """Use these settings; the device is opened anew only if it has to be."""
        old, self.settings = self.settings, settings
        keys = ("device", "sample_rate", "block", "input")
        same = all(getattr(old, key) == getattr(settings, key) for key in keys)
        self._reopen = self._reopen or not same or not self._configured
        self._configured = True
        self._wake.set()

    def rescan(self) -> None:
        """List the devices again."""
        self._rescan = True
        self._wake.set()

    def close(self) -> None:
        """Stop the device and the thread."""
        self._ending = True
        self._wake.set()
        self.join(_CLOSE_S)

    def run(self) -> None:
        """Open, watch, retry."""
        self._wake.wait(_SETTINGS_WAIT_S)  # the studio's settings come first thing
        while not self._ending:
            self._look_for_changes()
            if self._reopen:
                self._reopen = False
                self._open(first_try=True)
            elif not self._live.output.alive:
                self._lose()
            elif self._wants_input():
                self._open(first_try=True)
            elif self._wants_other() and time.monotonic() >= self._retry_at:
                self._open(first_try=False)
            if self._rescan:
                self._list()
            self._wake.wait(_WATCH_S)
            self._wake.clear()
        self._release(self._live.output)

    # -- inside -----------------------------------------------------------------------------------------------------------

    def _wants_other(self) -> bool:
        return self.settings.device != "none" and isinstance(self._live.output, SilentOutput)

    def _wants_input(self) -> bool:
        """Whether what plays listens, and nothing comes in yet; an input that is open stays open."""
        output = self._live.output
        wanted = self.settings.input != "none" and self._live.listens and not self._deaf
        return wanted and isinstance(output, DeviceOutput) and not output.input_name

    def _open(self, *, first_try: bool) -> None:
        settings, live = self.settings, self._live
        self._retry_at = time.monotonic() + _RETRY_S
        if first_try and not isinstance(live.output, SilentOutput):
            # a stream that is only dropped plays on into freed memory
            old = live.output
            live.call_and_wait(lambda: live.use_output(self._silent(old.sample_rate)))
            self._release(old)
        if settings.device == "none":
            self._use(self._silent(settings.sample_rate), "silent", "")
            return
        if self._stuck is not None and self._stuck.is_alive():
            return  # PortAudio still hangs in the dead device; nothing can be opened before it comes back
        try:
            output, sentence = self._device(settings)
            self._use(output, "running", sentence)
        except DeviceMissing as missing:
            if first_try:
                rate = settings.sample_rate
                self._use(self._silent(rate), "silent", f"{missing} Playing silently until it comes back; export works.")
        except Exception as problem:  # PortAudio and its host have many ways to refuse
            _logger.warning("the output %r cannot be opened: %s", settings.device, problem)
            if first_try:
                name = settings.device or "The default output"
                reason = str(problem).split("[")[0].strip()
                text = f"{name} cannot be opened: {reason}. Playing silently; trying again."
                self._use(self._silent(settings.sample_rate), "silent", text)

    def _device(self, settings: AudioSettings) -> tuple[DeviceOutput, str]:
        """Open the output, and the input with it if what plays listens; and what the user should know, in one sentence."""
        import sounddevice

        outputs = self._list().outputs
        if not is_there(settings.device, outputs):
            named = f"The audio output {settings.device!r} is not there."
            raise DeviceMissing(named if outputs else "There is no audio output.")
        self._portaudio.refresh()
        index, name = find_output(settings.device)
        source, sentence = self._source(settings, index)
        own = default_sample_rate(index)
        tries = [(rate, heard) for heard in dict.fromkeys((source, None)) for rate in dict.fromkeys((settings.sample_rate, own))]
        for number, (rate, heard) in enumerate(tries):
            try:
                output = DeviceOutput(index, name, rate, settings.block, settings.safety_blocks, self._live.position, heard)
            except sounddevice.PortAudioError:
                if number == len(tries) - 1:
                    raise
                continue
            self._deaf = heard is None and self._live.listens
            if source is not None and heard is None:
                sentence = f"The input {source[1]} cannot be opened together with {name}; the patch hears nothing."
            return output, sentence
        raise DeviceMissing("There is no audio output.")

    def _source(self, settings: AudioSettings, output: int) -> tuple[tuple[int, str] | None, str]:
        """The input to open with an output, if any; and why there is none though what plays listens."""
        if settings.input == "none" or not self._live.listens:
            return None, ""
        try:
            return find_input(settings.input, output), ""
        except DeviceMissing as missing:
            return None, f"{missing} The patch hears nothing."

    def _silent(self, sample_rate: int) -> SilentOutput:
        return SilentOutput(sample_rate, self.settings.block, self.settings.safety_blocks, self._live.position)

    def _use(self, output: Output, state: str, sentence: str) -> None:
        live = self._live

        def switch() -> None:
            output.align(live.position)
            live.use_output(output)

        live.call_and_wait(switch)
        if not sentence and isinstance(output, DeviceOutput) and output.sample_rate != self.settings.sample_rate:
            sentence = f"{output.name} runs at {output.sample_rate} Hz, not at {self.settings.sample_rate} Hz."
        self.decided.set()
        self._on_status(state, output, sentence)

    def _lose(self) -> None:
        lost = self._live.output
        self._use(self._silent(lost.sample_rate), "silent", f"{lost.name} is gone. Playing silently until it comes back.")
        if isinstance(lost, DeviceOutput) and lost.on_jack:
            self._portaudio.abandon(lost)
        else:
            self._release(lost)
        self._retry_at = time.monotonic() + 4 * _SETTLE_S

    def _release(self, output: Output) -> None:
        """Close an output; a dead sound server may take for ever, so a helper thread does it."""
        if not self._portaudio.safe_to_close():
            self._portaudio.abandon(output)
            return
        self._stuck = threading.Thread(target=output.close, name="close-output", daemon=True)
        self._stuck.start()
        self._stuck.join(_CLOSE_S)

    def _look_for_changes(self) -> None:
        mark = hardware_mark()
        if mark != self._mark:
            self._mark, self._rescan, self._retry_at = mark, True, time.monotonic() + _SETTLE_S

    def _list(self) -> Listed:
        self._rescan = self._deaf = False
        self._listed = list_devices()
        self._on_devices(self._listed)
        return self._listed
