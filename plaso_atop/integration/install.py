"""Registers the hooks of all extensions.

Plaso has no entry points for parsers. Instead hooks run when a module of Plaso has been
imported. Each registers the parser or extends a method.

This module is imported before Plaso, hence imports none of it at the top.
"""

# pylint: disable=import-outside-toplevel

import importlib.machinery
import os

from plaso_atop.integration import compressed_streams as _compressed_streams
from plaso_atop.integration import data_files as _data_files
from plaso_atop.integration import hooks
from plaso_atop.integration import user_names as _user_names

DISABLE_VARIABLE = "PLASO_ATOP_DISABLE"

_installed = False


def _DeregisterParser():
    """Deregisters the atop parser, if a failed import left it registered."""
    from plaso.parsers import manager

    parser_objects = manager.ParsersManager.GetParserObjects("atop")
    parser_class = parser_objects.get("atop").__class__
    if parser_class.__module__ == "plaso_atop.parser":
        manager.ParsersManager.DeregisterParser(parser_class)


def _HasModule(name):
    """Determines if Plaso has a module, without importing it.

    Args:
      name (str): name of the module.

    Returns:
      bool: True if the module exists, or if that cannot be determined.
    """
    path = None
    components = name.split(".")
    for index in range(len(components)):
        spec = importlib.machinery.PathFinder.find_spec(
            ".".join(components[: index + 1]), path
        )
        if spec is None:
            # A Plaso that is not found at all was made importable in another way.
            return index == 0

        path = spec.submodule_search_locations

    return True


@hooks.AfterImport(hooks.PARSER, "plaso.parsers")
def RegisterParser(unused_module):
    """Registers the atop parser.

    Raises:
      Exception: if the parser cannot be imported or registered.
    """
    try:
        # The import registers the parser. A program may import the parser before
        # Plaso. That import is still going on then and registers it at its end.
        from plaso_atop import parser as _
    except Exception:
        _DeregisterParser()
        raise


@hooks.AfterImport(hooks.ANALYSIS, "plaso.analysis")
def RegisterAnalysisPlugins(unused_module):
    """Registers the analysis plugins.

    Raises:
      Exception: if a plugin cannot be imported or registered.
    """
    # The import registers them.
    from plaso_atop import analysis as _


def IsDisabled():
    """Determines if the environment switches the package off.

    Returns:
      bool: True if it does.
    """
    return os.environ.get(DISABLE_VARIABLE, "0") not in ("", "0")


def IsInstalled():
    """Determines if the hooks are registered.

    Returns:
      bool: True if they are.
    """
    return _installed


def Install():
    """Registers the hooks, unless the environment switches the package off.

    Raises:
      ImportError: if wrapt is missing.
    """
    global _installed  # pylint: disable=global-statement

    if _installed or IsDisabled():
        return

    # This import takes 10 ms and more, which only a program that uses Plaso pays.
    import wrapt

    _installed = True

    for hook in hooks.registered_hooks:
        with hooks.Guard(hook.extension):
            # A hook for a missing module would wait in silence.
            if not _HasModule(hook.module_name):
                raise ModuleNotFoundError(f"No module named {hook.module_name!r}")

            wrapt.register_post_import_hook(hook.function, hook.module_name)
