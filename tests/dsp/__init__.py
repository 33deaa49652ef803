"""The tensor functions against slow, plain references."""
