"""The inspector: everything about the selected node, or about the patch, generated from the declarations."""
