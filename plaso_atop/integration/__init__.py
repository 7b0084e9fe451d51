"""How the installed Plaso comes to know the atop parser and what belongs to it.

This package is imported before Plaso is, hence must not import any of it at the top.
"""

from plaso_atop.integration.install import DISABLE_VARIABLE
from plaso_atop.integration.install import Install
from plaso_atop.integration.install import IsDisabled
from plaso_atop.integration.install import IsInstalled
