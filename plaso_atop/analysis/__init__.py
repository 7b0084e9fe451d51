"""Imports for the analysis plugins."""

from plaso_atop.analysis import coverage
