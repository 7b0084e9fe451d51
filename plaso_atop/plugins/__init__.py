"""Imports for the atop raw log parser."""

from plaso_atop.plugins import activity
from plaso_atop.plugins import cgroup
from plaso_atop.plugins import disk
from plaso_atop.plugins import network
from plaso_atop.plugins import process
from plaso_atop.plugins import session
from plaso_atop.plugins import system
from plaso_atop.plugins import thread
