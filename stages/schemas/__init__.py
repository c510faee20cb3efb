"""JSON schemas: mended, converted to strict mode, and read for what an answer may leave out."""
