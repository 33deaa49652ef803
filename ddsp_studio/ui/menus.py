"""Every action of the window, registered once; the menus are built from the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu

from ddsp_studio.audio import protocol
from ddsp_studio.processors.hearing import hearing
from ddsp_studio.processors.patch import PatchError
from ddsp_studio.ui.actions import Spec
from ddsp_studio.ui.toasts import Tone

if TYPE_CHECKING:
    from ddsp_studio.ui.window import StudioWindow


def register(window: StudioWindow) -> None:
    """Register the actions and fill the menu bar."""
    _files(window)
    _edits(window)
    _views(window)
    _training(window)
    _audio(window)
    _help(window)
    menus = window.actions_.build(window.menuBar())
    recent = QMenu("Open &recent", window)
    recent.setToolTipsVisible(True)
    recent.aboutToShow.connect(lambda: window.files.fill_recent(recent))
    menus["file"].insertMenu(window.actions_["file.save"], recent)


def _files(window: StudioWindow) -> None:
    add, files = window.actions_.add, window.files
    add(Spec("file.new", "&New", "Ctrl+N", "Begin an empty patch"), files.new)
    add(Spec("file.open", "&Open…", "Ctrl+O", "Open a patch file"), files.open_dialog)
    add(Spec("file.save", "&Save", "Ctrl+S", "Save the patch"), files.save)
    add(Spec("file.save_as", "Save &as…", "Ctrl+Shift+S", "Save the patch to another file"), files.save_as)
    tip = "Add a patch file to this patch as a group, which is one node"
    add(Spec("file.insert", "&Insert as group…", "Ctrl+I", tip), lambda: window.insert_group(files.ask_group()))
    tip = "Open the patch before this one in the browser"
    add(Spec("file.previous", "&Previous patch", "Ctrl+PgUp", tip, "previous", separated=True), lambda: window.browser.step(-1))
    tip = "Open the patch after this one in the browser"
    add(Spec("file.next", "Ne&xt patch", "Ctrl+PgDown", tip, "next"), lambda: window.browser.step(1))
    tip = "Render the patch to a WAV or FLAC file"
    add(Spec("file.export", "&Export audio…", "Ctrl+E", tip, separated=True), window.open_export)
    add(Spec("file.quit", "&Quit", "Ctrl+Q", "End the studio", separated=True), window.close)


def _edits(window: StudioWindow) -> None:
    actions, editor, document = window.actions_, window.editor, window.document
    undo, redo = QAction("Undo", window), QAction("Redo", window)
    undo.triggered.connect(document.undo)
    redo.triggered.connect(document.redo)
    stack = document.undo_stack
    for action, verb, able, named in (
        (undo, "&Undo", stack.canUndoChanged, stack.undoTextChanged),
        (redo, "&Redo", stack.canRedoChanged, stack.redoTextChanged),
    ):
        action.setEnabled(False)
        able.connect(action.setEnabled)
        named.connect(lambda text, action=action, verb=verb: action.setText(f"{verb} {text}".rstrip()))
    actions.adopt(Spec("edit.undo", "&Undo", "Ctrl+Z", "Take the last edit back"), undo)
    actions.adopt(Spec("edit.redo", "&Redo", "Ctrl+Shift+Z | Ctrl+Y", "Do again what was undone"), redo)
    verbs = (
        ("cut", "Cu&t", "Ctrl+X", "Cut the selected processors", editor.cut),
        ("copy", "&Copy", "Ctrl+C", "Copy the selected processors and the cables among them", editor.copy),
        ("paste", "&Paste", "Ctrl+V", "Paste processors at the pointer", editor.paste),
        ("duplicate", "&Duplicate", "Ctrl+D", "Duplicate the selected processors", editor.duplicate),
        ("delete", "De&lete", "Del", "Delete the selected cable or processors", editor.delete),
        ("select_all", "Select &all", "Ctrl+A", "Select every processor", editor.select_all),
        ("add", "Add &processor…", "Ctrl+Return", "Search for a processor to add (on the canvas: Tab)", editor.add_node_search),
        ("bypass", "&Bypass", "Ctrl+B", "Lead the audio around the selected processors", editor.toggle_bypass),
        ("mute", "&Mute", "Ctrl+M", "Silence the selected processors", editor.toggle_mute),
        ("group", "&Group", "Ctrl+G", "Put the selected processors into a group, which is one node", editor.group),
        ("ungroup", "&Ungroup", "Ctrl+Shift+G", "Put what the selected group holds in its place", editor.ungroup),
        (
            "open_group",
            "&Open group",
            "Alt+Down",
            "Edit the inside of the selected group (Enter)",
            editor.open_group,
        ),
        ("leave_group", "Leave grou&p", "Alt+Up", "Go back out of the opened group", editor.leave_group),
        ("arrange", "Arran&ge", "Ctrl+Shift+A", "Place all processors in columns", editor.auto_arrange),
    )
    for name, text, keys, tip, do in verbs:
        spec = Spec(f"edit.{name}", text, keys, tip, separated=name in ("cut", "add", "group", "arrange"))
        actions.add(spec, do, scope=editor if name == "delete" else None)


def _views(window: StudioWindow) -> None:
    actions, editor = window.actions_, window.editor
    tip = "Show the selected processors as large as fits"
    actions.add(Spec("view.frame_selection", "&Frame selection", "Shift+F", tip), editor.frame_selection)
    actions.add(Spec("view.frame_all", "Frame &all", "Shift+Home", "Show the whole patch"), editor.frame_all)
    tip = "Type to start any action"
    actions.add(Spec("view.palette", "&Command palette…", "Ctrl+Shift+P", tip), lambda: _palette(window))
    actions.add(Spec("view.search", "&Search the browser", "Ctrl+F", "Search patches and MIDI files"), lambda: _search(window))
    names = ("browser", "inspector", "spectrogram", "harmonics", "scope", "piano", "training")
    for number, name in enumerate(names, 1):
        dock = window.docks[name]
        text = f"&{number} {dock.windowTitle()}"
        spec = Spec(
            f"view.{name}", text, f"Ctrl+Shift+{number}", f"Show or hide {dock.windowTitle().lower()}", separated=number == 1
        )
        action = dock.toggleViewAction()
        action.setText(text)
        actions.adopt(spec, action)
    spec = Spec("view.freeze", "Freeze spectrogram", "Ctrl+Shift+F", "Hold the picture", separated=True)
    actions.add(spec, window.displays.freeze.toggle)
    actions.add(Spec("view.reset", "&Reset layout", "Ctrl+Shift+0", "Put every panel back"), window.reset_layout)
    spec = Spec("view.full_screen", "F&ull screen", "F11", "Use the whole screen", checkable=True)
    actions.add(spec, lambda on: window.showFullScreen() if on else window.showNormal())


def _palette(window: StudioWindow) -> None:
    from ddsp_studio.ui.dialogs.command_palette import open_palette

    open_palette(window.actions_, window)


def _search(window: StudioWindow) -> None:
    window.docks["browser"].show()
    window.browser.focus_search()


def _audio(window: StudioWindow) -> None:
    add, link = window.actions_.add, window.link

    def panic() -> None:
        window.keys.release_all()
        window.displays.piano.release()
        link.send(protocol.Panic())

    add(Spec("play.panic", "Panic", "Ctrl+Shift+Backspace | Pause", "Silence everything at once", "panic", separated=True), panic)
    tip = "Play with the keys A W S E D F … by their place; Z and X change the octave"
    action = add(
        Spec("play.keyboard", "Computer &keyboard plays", "Ctrl+K", tip, checkable=True), lambda on: _keyboard(window, on)
    )
    action.setChecked(window.keys.enabled)
    add(
        Spec("audio.settings", "Audio and &MIDI settings…", "Ctrl+,", "Device, rate, buffer, polyphony, inputs"),
        window.open_audio_settings,
    )
    tip = "Let a sound that comes in play this patch instead of keys: its pitch and loudness take the place of notes"
    add(Spec("audio.listen", "&Play from the audio input", "Ctrl+Shift+L", tip), lambda: _listen(window))
    tip = "List which MIDI controllers turn which knobs, and take them off; right-click a knob to teach it one"
    add(Spec("audio.controllers", "MIDI &controllers…", "Ctrl+Shift+M", tip), window.midi_learn.show_list)
    tone = protocol.TestTone()
    add(Spec("audio.test", "&Test tone", "Ctrl+T", "Sound a quiet 440 Hz tone for two seconds"), lambda: link.send(tone))
    add(
        Spec("audio.rescan", "&Look for devices again", "Ctrl+Shift+R", "List devices and MIDI ports"),
        lambda: link.send(protocol.Rescan()),
    )
    add(
        Spec("audio.reset", "Reset &dropouts", "Ctrl+Shift+D", "Count dropouts from zero"),
        lambda: link.send(protocol.ResetCounters()),
    )
    tip = "End the sound engine and start it with the same patch"
    add(Spec("audio.restart", "&Restart the sound engine", "Ctrl+Shift+F5", tip, separated=True), link.client.restart)


def _listen(window: StudioWindow) -> None:
    try:
        window.document.replace_all(hearing(window.document.patch), "Play from the audio input")
    except PatchError as problem:
        words = str(problem)
        window.toasts.show(f"{words[:1].upper()}{words[1:]}.", Tone.WARNING)


def _training(window: StudioWindow) -> None:
    add, training = window.actions_.add, window.training
    tip = "Choose recordings of one instrument to train a patch on"
    add(Spec("train.files", "Train on &recordings…", "Ctrl+Shift+T", tip), training.choose_files)
    add(Spec("train.folder", "Train on a &folder…", "Ctrl+Alt+T", "Choose a folder of recordings"), training.choose_folder)
    tip = "Let a trained instrument play a recording"
    add(Spec("train.transfer", "Transfer a re&cording…", "Ctrl+Alt+R", tip), training.choose_transfer)
    tip = "Put the instrument that is being trained into the editor"
    add(Spec("train.play", "&Play the instrument", "F7", tip, separated=True), training.play_model)
    tip = "Hear recording and instrument in turn, at the same place"
    add(Spec("train.compare", "&Compare with the recording", "F8", tip), training.compare)
    add(Spec("train.silence", "&Stop listening", "Shift+F8", "End what is heard beside the patch"), training.silence)


def _keyboard(window: StudioWindow, on: bool) -> None:
    window.keys.release_all()
    window.keys.enabled = on


def _help(window: StudioWindow) -> None:
    add = window.actions_.add

    def shortcuts() -> None:
        from ddsp_studio.ui.dialogs.shortcuts import ShortcutsDialog

        dialog = ShortcutsDialog(window.actions_, window)
        dialog.exec()
        dialog.deleteLater()

    add(Spec("help.shortcuts", "&Keyboard shortcuts", "F1", "List every action with its keys"), shortcuts)
    add(Spec("help.logs", "Open the &log folder", "Ctrl+F1", "Show where the log files are"), window.open_logs)
    add(
        Spec("help.report", "Copy a &report", "Ctrl+Shift+F1", "Put versions and the last log lines on the clipboard"),
        window.copy_report,
    )
    add(Spec("help.about", "&About ddsp_studio", "Alt+F1", "Version and licence"), window.about)
    qt = QApplication.aboutQt
    add(Spec("help.about_qt", "About &Qt", "Alt+Shift+F1", "Version of Qt"), qt)
