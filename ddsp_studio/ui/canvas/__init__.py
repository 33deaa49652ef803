"""The node editor: a QGraphicsScene of nodes that paint themselves, and one class for each gesture of the mouse."""
