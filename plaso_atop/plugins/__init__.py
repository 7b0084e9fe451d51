"""Imports for the atop raw log parser."""

from plaso_atop.plugins import process
from plaso_atop.plugins import session
from plaso_atop.plugins import system
