"""Starting the studio: the window first, the sound right after it."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import PySide6
from PySide6.QtCore import QEvent, QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from ddsp_studio import __version__, resources
from ddsp_studio.ui import paths, qt_check, theme

if TYPE_CHECKING:
    from ddsp_studio.ui.window import StudioWindow

_LOG = logging.getLogger("ddsp_studio.qt")
FIRST_MODELS, FIRST_PATCHES = ("violin", "flute"), ("organ", "bell", "pad")
"""Stems of the instruments, and where none is shipped of the factory patches, to greet a new user with; the first that exists."""


def main(patch: Path | None = None, *, screenshot: Path | None = None, engine: Sequence[str] | None = None) -> int:
    """Run the studio; returns the exit status.

    Args:
        patch: a patch (or MIDI file) to open.
        screenshot: show the window with sounding content without a display, write it to this PNG file, and end.
        engine: command line of another engine, for tests.
    """
    reason = qt_check.refusal(PySide6.__version__, sys.version_info[:2])
    if reason:
        sys.stderr.write(f"ddsp-studio: {reason}\n")
        return 1
    if screenshot is not None and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = _application()
    with contextlib.ExitStack() as stack:
        if screenshot is not None:
            # a picture shall show what a new user sees, and leave nothing behind
            os.environ[paths.HOME] = stack.enter_context(tempfile.TemporaryDirectory())
        window = _window(patch, engine, stack)
        window.show()
        window.activateWindow()
        window.editor.setFocus()
        if screenshot is not None:
            from ddsp_studio.ui.screenshot import Screenshot

            Screenshot(window, screenshot).start()
        else:
            QTimer.singleShot(0, window, lambda: _after_show(window))
        status = app.exec()
        window.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return status


def _application() -> QApplication:
    QApplication.setApplicationName("ddsp_studio")
    QApplication.setApplicationVersion(__version__)
    QApplication.setDesktopFileName("ddsp_studio")
    qInstallMessageHandler(_log_qt)
    held = QApplication.instance()
    app = held if isinstance(held, QApplication) else QApplication(sys.argv[:1])
    theme.apply(app)
    signal.signal(signal.SIGINT, lambda *_: QApplication.closeAllWindows())
    return app


def _log_qt(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    level = {QtMsgType.QtDebugMsg: logging.DEBUG, QtMsgType.QtInfoMsg: logging.INFO, QtMsgType.QtWarningMsg: logging.WARNING}
    _LOG.log(level.get(kind, logging.ERROR), "%s", text)


def _window(patch: Path | None, engine: Sequence[str] | None, stack: contextlib.ExitStack) -> StudioWindow:
    from PySide6.QtCore import QMetaObject, Qt

    from ddsp_studio.ui.crash import CrashGuard
    from ddsp_studio.ui.settings import Store
    from ddsp_studio.ui.window import StudioWindow

    store = Store(paths.settings_file())
    window = StudioWindow(store, engine=engine)
    sentences: list[str] = []

    def tell(words: str) -> None:
        sentences.append(words)
        QMetaObject.invokeMethod(window, "say_failures", Qt.ConnectionType.QueuedConnection)

    window.failures = sentences
    guard = CrashGuard(paths.logs(), tell)
    stack.callback(guard.close)
    window.crash_trace = guard.found
    if patch is not None:
        window.open_path(patch)
    else:
        _open_first(window)
    return window


def _open_first(window: StudioWindow) -> None:
    """Open what was open last; a new user gets a learned instrument that is played at once."""
    settings = window.store.settings
    last = Path(settings.recent[0]) if settings.recent else None
    if last is not None and last.exists() and window.files.open(last):
        return
    for kind, names in ((resources.MODELS, FIRST_MODELS), (resources.PATCHES, FIRST_PATCHES)):
        shipped = resources.factory(kind)
        for path in [shipped[name] for name in names if name in shipped] or list(shipped.values())[:1]:
            if window.open_path(path):
                return


def _after_show(window: StudioWindow) -> None:
    from ddsp_studio.ui.toasts import Tone

    window.start_engine()
    window.offer_recovery()
    window.training.offer()
    if window.store.problem:
        window.toasts.show(window.store.problem, Tone.WARNING)
    if window.crash_trace:
        choices = (("Open logs", window.open_logs), ("Copy report", window.copy_report))
        window.toasts.show(f"The studio crashed when it last ran; the trace is in {paths.logs()}.", Tone.ERROR, choices)
    if not window.store.settings.started_before:
        window.store.settings.started_before = True
        window.store.save()
        window.toasts.show(
            "Welcome. Play with the keys A S D F …, the piano below, or a MIDI keyboard. At the right you read what it is."
        )
