"""How the installed Plaso comes to know the atop parser and what belongs to it.

The line in plaso_atop.pth calls Install when a program imports Plaso.

  * install: registers the parser and all hooks;
  * hooks: extends methods of Plaso, and warns where that fails;
  * data_files: adds the files of data/ to those of Plaso;
  * user_names: passes the user names of a source on to the plugins;
  * compressed_streams: mends how dfVFS reads large compressed files.

This package is imported before Plaso, hence imports none of it at the top.
"""

from plaso_atop.integration.install import DISABLE_VARIABLE
from plaso_atop.integration.install import Install
from plaso_atop.integration.install import IsDisabled
from plaso_atop.integration.install import IsInstalled
