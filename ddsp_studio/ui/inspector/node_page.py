"""The inspector's page for one node: every control, option and incoming cable, generated from its data sheet."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from ddsp_studio.processors.declare import Spec
from ddsp_studio.processors.nesting import absence, sheet_of
from ddsp_studio.processors.patch import Cable, Node, Port
from ddsp_studio.ui import edits
from ddsp_studio.ui.canvas.style import MISSING, category_colour
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.inspector.ports import port_section
from ddsp_studio.ui.inspector.sections import CableRow, Section, WrapGrid, note
from ddsp_studio.ui.widgets.bars import Bars
from ddsp_studio.ui.widgets.knob import Knob
from ddsp_studio.ui.widgets.number_field import NumberField
from ddsp_studio.ui.widgets.options import OptionEditor
from ddsp_studio.ui.widgets.texts import readable
from ddsp_studio.ui.widgets.value_widget import ValueWidget

_MOST_KEPT = 8
"""Channels written out of a control that is not installed."""


class NodePage(QWidget):
    """Built anew when the node's form changes; values and amounts are shown as they change."""

    value_menu_opening = Signal(QMenu, str, str)
    """A value's context menu, its node and control, before it opens."""
    advanced_folded = Signal(bool)

    def __init__(self, document: Document, name: str, *, fold_advanced: bool) -> None:
        super().__init__()
        self.document, self.name = document, name
        self._fold_advanced = fold_advanced
        self.values: dict[str, ValueWidget | Bars] = {}
        self.options: dict[str, OptionEditor] = {}
        self.cables: list[CableRow] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(10)
        node = document.shown.nodes[name]
        spec = sheet_of(node)
        self._add_header(spec)
        if spec is not None:
            self._add_controls(spec)
            self._add_options(spec)
        else:
            self._add_kept(node)
        if node.inside is not None:
            self._layout.addWidget(port_section(document, node.inside.ports, name))
        self._add_cables()
        self._add_label()
        self._layout.addStretch(1)
        self.refresh()

    # -- building -----------------------------------------------------------------------------------------------------

    def _add_header(self, spec: Spec | None) -> None:
        node = self.document.shown.nodes[self.name]
        category = f"  ·  {spec.category}" if spec and spec.category != node.type else ""
        kind = QLabel(f"{node.type}{category}" if spec else f"{node.type}  ·  not installed", self)
        kind.setStyleSheet(f"color: {category_colour(spec.category) if spec else MISSING}; font-weight: 600;")
        self._name = QLineEdit(self.name, self)
        self._name.setAccessibleName("Name")
        self._name.setToolTip("The node's name: a letter, then letters, digits and _")
        self._name.setStyleSheet("font-size: 15px; font-weight: 600;")
        self._name.editingFinished.connect(self._rename)
        missing = f"{absence(node)}. The node is kept as it is, and audio passes it by."
        self._layout.addWidget(kind)
        self._layout.addWidget(self._name)
        self._layout.addWidget(note(spec.summary if spec else missing[:1].upper() + missing[1:]))
        self._add_flags()

    def _add_flags(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        self._flags: dict[str, QPushButton] = {}
        for flag, text, tip, verb, applies in (
            ("bypassed", "Bypass", "Pass the audio around this node (Ctrl+B)", self.document.bypass, edits.bypassable),
            ("muted", "Mute", "Silence this node (Ctrl+M)", self.document.mute, edits.mutable),
        ):
            button = QPushButton(text, self)
            button.setCheckable(True)
            button.setToolTip(tip)
            button.setAccessibleName(text)
            button.toggled.connect(functools.partial(self._set_flag, flag, verb))
            button.setVisible(bool(applies(self.document.shown, [self.name])))
            self._flags[flag] = button
            row.addWidget(button)
        if self.document.shown.nodes[self.name].inside is not None:
            opening = QPushButton("Open", self)
            opening.setToolTip("Open the group on the canvas (Enter)")
            opening.setAccessibleName("Open group")
            opening.clicked.connect(functools.partial(self._open, self.name))
            row.addWidget(opening)
        row.addStretch(1)
        self._layout.addLayout(row)

    def _open(self, group: str) -> None:
        self.document.enter(group)

    def _set_flag(self, flag: str, verb: Callable[[list[str], bool], bool], on: bool) -> None:
        if self.name in self.document.shown.nodes and getattr(self.document.shown.nodes[self.name], flag) != on:
            verb([self.name], on)

    def _add_controls(self, spec: Spec) -> None:
        if not spec.controls:
            return
        plain, advanced = Section("Controls"), Section("More", foldable=True, is_folded=self._fold_advanced)
        advanced.folded.connect(self.advanced_folded)
        knobs, bars = WrapGrid(), []
        node = self.document.shown.nodes[self.name]
        for name, control in spec.controls.items():
            if spec.channels(name, node.options) > 1:
                bars.append((Bars(name, control, self.document.values(self.name)[name]), control.advanced))
                self._wire(bars[-1][0], name)
            elif control.advanced:
                field = NumberField(name, control)
                self._wire(field, name)
                advanced.rows.addWidget(field)
            else:
                knob = Knob(name, control)
                self._wire(knob, name)
                knobs.add(knob)
        plain.rows.addWidget(knobs)
        for widget, hidden in bars:
            (advanced if hidden else plain).rows.addWidget(widget)
        self._layout.addWidget(plain)
        if any(control.advanced for control in spec.controls.values()):
            self._layout.addWidget(advanced)
        else:
            advanced.deleteLater()

    def _add_kept(self, node: Node) -> None:
        """What the patch holds for a node that is not installed."""
        values = [f"{readable(key)}: {' '.join(f'{v:g}' for v in held[:_MOST_KEPT])}" for key, held in node.values.items()]
        options = [f"{readable(key)}: {value}" for key, value in node.options.items()]
        if values or options:
            section = Section("Kept")
            for text in [*values, *options]:
                section.rows.addWidget(note(text))
            self._layout.addWidget(section)

    def _wire(self, widget: ValueWidget | Bars, control: str) -> None:
        self.values[control] = widget
        widget.previewed.connect(functools.partial(self._preview, control))
        widget.committed.connect(self.document.commit)
        widget.cancelled.connect(self.document.cancel)
        widget.menu_opening.connect(functools.partial(self._extend_menu, control))

    def _extend_menu(self, control: str, menu: QMenu) -> None:
        port = Port(self.name, control)
        if self.document.inside:
            outer = self.document.shown_ports.get(port)
            if outer is None:
                menu.addAction(f"Show {readable(control)} outside", functools.partial(self.document.show_port, port))
            else:
                menu.addAction(f"Hide outside ({outer})", functools.partial(self.document.hide_port, outer))
        played = self.document.played(port)
        self.value_menu_opening.emit(menu, played.node, played.name)

    def _preview(self, control: str, value: float | Sequence[float]) -> None:
        self.document.preview_value(self.name, control, [value] if isinstance(value, (int, float)) else value)

    def _add_options(self, spec: Spec) -> None:
        if not spec.options:
            return
        section = Section("Options")
        values = spec.option_values(self.document.shown.nodes[self.name].options)
        for name, option in spec.options.items():
            editor = OptionEditor(name, option, values[name])
            editor.chosen.connect(functools.partial(self.document.set_option, self.name, name))
            self.options[name] = editor
            section.rows.addWidget(editor)
        self._layout.addWidget(section)

    def _add_cables(self) -> None:
        into = [c for c in self.document.shown.cables if c.target.node == self.name]
        for title, cables in (
            ("Modulation", [c for c in into if c.amount is not None]),
            ("Inputs", [c for c in into if c.amount is None]),
        ):
            if cables:
                section = Section(title)
                for cable in cables:
                    section.rows.addWidget(self._cable_row(cable))
                self._layout.addWidget(section)

    def _cable_row(self, cable: Cable) -> CableRow:
        row = CableRow(cable)
        row.amount_previewed.connect(functools.partial(self.document.preview_amount, cable.source, cable.target))
        row.amount_committed.connect(self.document.commit)
        row.removed.connect(functools.partial(self.document.disconnect_cables, [cable]), Qt.ConnectionType.QueuedConnection)
        self.cables.append(row)
        return row

    def _add_label(self) -> None:
        self._label = QLineEdit(self)
        self._label.setPlaceholderText("Label shown on the canvas instead of the name")
        self._label.setAccessibleName("Label")
        self._label.editingFinished.connect(self._relabel)
        section = Section("Label")
        section.rows.addWidget(self._label)
        self._layout.addWidget(section)

    # -- showing ------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show values, flags and cables as the document holds them."""
        patch = self.document.shown
        node, values = patch.nodes[self.name], self.document.values(self.name)
        into = [c for c in patch.cables if c.target.node == self.name]
        for control, widget in self.values.items():
            self.show_value(control, values[control])
            widget.set_driven_by(next((str(c.source) for c in into if c.target.name == control and c.amount is None), ""))
        self._show_depths(into)
        for flag, button in self._flags.items():
            button.setChecked(getattr(node, flag))
        for option, editor in self.options.items():
            editor.set_value(node.options.get(option, editor.option.default))
        if self._label.text() != node.label:
            self._label.setText(node.label)

    def show_value(self, control: str, values: Sequence[float]) -> None:
        """Show a control's values."""
        widget = self.values.get(control)
        if isinstance(widget, Bars):
            widget.set_values(values)
        elif widget is not None:
            widget.set_value(values[0])

    def show_amounts(self) -> None:
        """Show the amounts of the incoming cables."""
        into = [c for c in self.document.shown.cables if c.target.node == self.name]
        self._show_depths(into)

    def _show_depths(self, into: list[Cable]) -> None:
        for control, widget in self.values.items():
            if isinstance(widget, ValueWidget):
                widget.set_modulation(tuple(c.amount for c in into if c.target.name == control and c.amount is not None))
        amounts = {(c.source, c.target): c.amount for c in into}
        for row in self.cables:
            amount = amounts.get((row.cable.source, row.cable.target))
            if amount is not None:
                row.set_amount(amount)

    def _relabel(self) -> None:
        if self.name in self.document.shown.nodes:
            self.document.set_label(self.name, self._label.text())

    def _rename(self) -> None:
        wish = self._name.text().strip()
        if self.name in self.document.shown.nodes and wish != self.name and not self.document.rename(self.name, wish):
            self._name.setText(self.name)
