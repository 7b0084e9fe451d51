"""Plaso parser for the binary raw logs of atop."""

__version__ = "20261201"
