"""Shapes on the wires of both APIs: how bytes become values and values become bytes, with no decisions."""
