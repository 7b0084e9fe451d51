"""Tests for the commands of plaso-atop."""
