"""Commands of plaso-atop."""
