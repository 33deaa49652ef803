"""The look: one dark, calm palette, its style sheet, fonts and sizes. Everything that paints takes its colours from here."""

from __future__ import annotations

import functools

from PySide6.QtCore import QDir
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from ddsp_studio import resources

# surfaces, from the deepest to the highest
CANVAS = "#15171b"
WINDOW = "#1b1e23"
PANEL = "#21252b"
RAISED = "#2a2f37"
HOVER = "#343a44"
BORDER = "#363c46"
GRID = "#23272e"

# text; contrast on PANEL is 12:1, 6.2:1 and 3.2:1
TEXT = "#dfe3ea"
TEXT_SOFT = "#a3abb8"
TEXT_FAINT = "#717a88"

# meaning
ACCENT = "#5ec2b7"
ACCENT_DEEP = "#2f6f69"
SELECTION = "#7fb4ff"
GOOD = "#76c48a"
WARNING = "#e8bd62"
DANGER = "#ef6f6c"
RECORD = "#f0524f"

# signals: the hue is one cue, the cable's dash and the socket's shape the other
AUDIO = "#e9a94f"
CONTROL = "#5ec2b7"
NOTES = "#b798f0"
CLOCK = "#8fa3bf"
SIGNAL = {"audio": AUDIO, "control": CONTROL, "notes": NOTES, "clock": CLOCK, "input": AUDIO}

RADIUS = 4
"""Corner radius of buttons, fields and panels in logical pixels."""

_FAMILIES = ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Cantarell", "Ubuntu", "DejaVu Sans")
_MONO_FAMILIES = ("JetBrains Mono", "SF Mono", "Cascadia Mono", "Noto Sans Mono", "DejaVu Sans Mono")


def colour(name: str, alpha: float = 1.0) -> QColor:
    """A colour of this module as a QColor with an opacity of 0..1."""
    result = QColor(name)
    result.setAlphaF(alpha)
    return result


def font(pixels: int = 12, *, bold: bool = False, mono: bool = False) -> QFont:
    """The interface font at a size in logical pixels; `mono` for numbers that must not dance."""
    return QFont(_font(pixels, bold, mono))


@functools.cache
def _font(pixels: int, bold: bool, mono: bool) -> QFont:
    """Made once for each kind: listing the installed families takes milliseconds, and fonts are asked for in every paint."""
    result = QFont()
    known = set(QFontDatabase.families())
    result.setFamilies([name for name in (_MONO_FAMILIES if mono else _FAMILIES) if name in known] or result.families())
    result.setPixelSize(pixels)
    result.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return result


def apply(app: QApplication) -> None:
    """Give the application this look."""
    app.setStyle(QStyleFactory.create("Fusion"))
    app.setPalette(_palette())
    app.setPalette(_spin_palette(), "QAbstractSpinBox")  # type: ignore[arg-type]  # it takes a str, whatever its stub says
    app.setFont(font(12))
    QDir.setSearchPaths("icons", [str(resources.folder() / "icons")])
    app.setStyleSheet(_style_sheet())


def _palette() -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for name, value in (
        (role.Window, WINDOW),
        (role.WindowText, TEXT),
        (role.Base, CANVAS),
        (role.AlternateBase, PANEL),
        (role.Text, TEXT),
        (role.Button, RAISED),
        (role.ButtonText, TEXT),
        (role.BrightText, DANGER),
        (role.ToolTipBase, RAISED),
        (role.ToolTipText, TEXT),
        (role.PlaceholderText, TEXT_FAINT),
        (role.Highlight, ACCENT_DEEP),
        (role.HighlightedText, "#ffffff"),
        (role.Link, SELECTION),
        (role.Accent, ACCENT),
        (role.Light, HOVER),
        (role.Midlight, RAISED),
        (role.Mid, BORDER),
        (role.Dark, CANVAS),
        (role.Shadow, "#0c0d0f"),
    ):
        palette.setColor(name, QColor(value))
    for item in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, item, QColor(TEXT_FAINT))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(RAISED))
    return palette


def _spin_palette() -> QPalette:
    """Number fields look like the other fields by palette alone: a style sheet would displace what is in them."""
    palette = _palette()
    palette.setColor(QPalette.ColorRole.Window, QColor(BORDER).lighter(140))  # Fusion's outline is that darkened by 140
    palette.setColor(QPalette.ColorRole.Button, QColor(CANVAS))
    return palette


def _style_sheet() -> str:
    return f"""
    QMainWindow::separator {{ background: {WINDOW}; width: 5px; height: 5px; }}
    QMainWindow::separator:hover {{ background: {ACCENT_DEEP}; }}
    QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {BORDER}; padding: 4px 6px; }}
    QMenuBar {{ background: {WINDOW}; padding: 1px 4px; }}
    QMenuBar::item {{ background: transparent; padding: 4px 9px; border-radius: {RADIUS}px; }}
    QMenuBar::item:selected {{ background: {HOVER}; }}
    QMenu {{ background: {PANEL}; border: 1px solid {BORDER}; padding: 4px 0; }}
    QMenu::item {{ padding: 5px 28px 5px 24px; }}
    QMenu::item:selected {{ background: {ACCENT_DEEP}; color: white; }}
    QMenu::item:disabled {{ color: {TEXT_FAINT}; }}
    QMenu::separator {{ height: 1px; background: {BORDER}; margin: 4px 8px; }}
    QStatusBar {{ background: {WINDOW}; color: {TEXT_SOFT}; border-top: 1px solid {GRID}; }}
    QStatusBar::item {{ border: none; }}
    QToolBar {{ background: {WINDOW}; border: none; border-bottom: 1px solid {GRID}; spacing: 0; padding: 0; }}
    QDockWidget {{ color: {TEXT_SOFT}; }}
    QLineEdit, QComboBox {{
        background: {CANVAS}; border: 1px solid {BORDER}; border-radius: {RADIUS}px; padding: 3px 6px; min-height: 18px;
        selection-background-color: {ACCENT_DEEP};
    }}
    QAbstractSpinBox {{ min-height: 20px; }}
    QLineEdit:focus, QComboBox:focus {{ border-color: {ACCENT}; }}
    QLineEdit:disabled, QComboBox:disabled {{ color: {TEXT_FAINT}; background: {PANEL}; }}
    QComboBox QLineEdit {{ border: none; padding: 0; }}
    QAbstractSpinBox QLineEdit {{ padding: 0 4px; }}
    QComboBox::drop-down {{ border: none; width: 20px; }}
    QComboBox::down-arrow {{ image: url(icons:down.svg); width: 10px; height: 10px; }}
    QCheckBox::indicator, QListView::indicator {{
        width: 12px; height: 12px; border: 1px solid {TEXT_FAINT}; border-radius: 3px; background: {CANVAS};
    }}
    QCheckBox::indicator:checked, QListView::indicator:checked {{
        background: {ACCENT}; border-color: {ACCENT}; image: url(icons:check.svg);
    }}
    QCheckBox::indicator:disabled, QListView::indicator:disabled {{ border-color: {BORDER}; }}
    QCheckBox::indicator:checked:disabled, QListView::indicator:checked:disabled {{ background: {ACCENT_DEEP}; }}
    QComboBox QAbstractItemView {{ background: {PANEL}; border: 1px solid {BORDER}; selection-background-color: {ACCENT_DEEP}; }}
    QPushButton {{
        background: {RAISED}; border: 1px solid {BORDER}; border-radius: {RADIUS}px; padding: 5px 14px; min-height: 16px;
    }}
    QPushButton:hover {{ background: {HOVER}; }}
    QPushButton:pressed {{ background: {CANVAS}; }}
    QPushButton:focus {{ border-color: {ACCENT}; }}
    QPushButton:default {{ background: {ACCENT_DEEP}; border-color: {ACCENT}; color: white; }}
    QPushButton:default:hover {{ background: #38857d; }}
    QPushButton:disabled {{ color: {TEXT_FAINT}; background: {PANEL}; }}
    QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: {RADIUS}px; padding: 3px; }}
    QToolButton:hover {{ background: {HOVER}; }}
    QToolButton:pressed {{ background: {CANVAS}; }}
    QToolButton:checked {{ background: {ACCENT_DEEP}; }}
    QToolButton:focus {{ border-color: {ACCENT}; }}
    QToolButton::menu-indicator {{ image: none; }}
    QListView, QTreeView, QPlainTextEdit, QTextEdit, QTextBrowser {{
        background: {CANVAS}; border: 1px solid {GRID}; border-radius: {RADIUS}px;
    }}
    QTreeView, QListView {{ outline: none; }}
    QTreeView:focus, QListView:focus {{ border-color: {ACCENT}; }}
    QTreeView::item, QListView::item {{ padding: 3px 4px; }}
    QTreeView::item:hover, QListView::item:hover {{ background: {RAISED}; }}
    QTreeView::item:selected, QListView::item:selected {{ background: {ACCENT_DEEP}; color: white; }}
    QHeaderView::section {{ background: {PANEL}; border: none; padding: 4px 6px; color: {TEXT_SOFT}; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
    QScrollBar::handle {{ background: {HOVER}; border-radius: 3px; margin: 2px; min-height: 24px; min-width: 24px; }}
    QScrollBar::handle:hover {{ background: {TEXT_FAINT}; }}
    QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{ background: none; border: none; }}
    QTabBar::tab {{ background: transparent; color: {TEXT_SOFT}; padding: 5px 12px; border-bottom: 2px solid transparent; }}
    QTabBar::tab:selected {{ color: {TEXT}; border-bottom-color: {ACCENT}; }}
    QTabBar::tab:hover {{ color: {TEXT}; }}
    QTabWidget::pane {{ border: none; border-top: 1px solid {GRID}; }}
    QProgressBar {{
        background: {CANVAS}; border: 1px solid {BORDER}; border-radius: {RADIUS}px; text-align: center; min-height: 16px;
    }}
    QProgressBar::chunk {{ background: {ACCENT_DEEP}; border-radius: {RADIUS - 1}px; }}
    QGroupBox {{ border: 1px solid {GRID}; border-radius: {RADIUS}px; margin-top: 16px; padding-top: 6px; color: {TEXT_SOFT}; }}
    QGroupBox::title {{ subcontrol-origin: margin; left: 8px; padding: 0 4px; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QLabel[soft="true"] {{ color: {TEXT_SOFT}; }}
    QLabel[faint="true"] {{ color: {TEXT_FAINT}; }}
    """
