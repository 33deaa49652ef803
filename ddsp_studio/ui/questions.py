"""Questions that block: what would be lost is never lost by Enter or Escape."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QWidget

_Role = QMessageBox.ButtonRole


def ask(parent: QWidget, title: str, text: str, more: str = "", *, go: str = "", lose: str = "") -> str:
    """Ask; the words of the button that was pressed, "" for Cancel.

    Args:
        parent, title: of the box. text, more: the question, and what else there is to know.
        go: a button that loses nothing; Enter presses it. lose: a button that loses something; Enter presses Cancel without `go`.
    """
    box = QMessageBox(parent)
    box.setWindowTitle(title)
    box.setText(text)
    box.setInformativeText(more)
    wanted = ((go, _Role.AcceptRole), (lose, _Role.DestructiveRole))
    buttons = {words: box.addButton(words, role) for words, role in wanted if words}
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setEscapeButton(cancel)
    box.setDefaultButton(buttons.get(go, cancel))
    box.exec()
    return next((words for words, button in buttons.items() if button is box.clickedButton()), "")
