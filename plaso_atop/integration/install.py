"""How the installed Plaso comes to know the atop parser and what belongs to it.

Plaso has no entry points for parsers. Install() therefore registers hooks that run when
a module of Plaso has been imported and extend one method each. Where a Plaso does not
have what a hook builds on, there is one warning and Plaso works as if this package were
not installed.

This module is imported before Plaso is, hence must not import any of it at the top.
"""

# pylint: disable=import-outside-toplevel

import importlib.machinery
import os

from plaso_atop.integration import data_files
from plaso_atop.integration import hooks
from plaso_atop.integration import user_names

DISABLE_VARIABLE = "PLASO_ATOP_DISABLE"

_installed = False


def _DeregisterParser():
    """Deregisters the atop parser, if a failed import left it registered."""
    from plaso.parsers import manager

    parser_objects = manager.ParsersManager.GetParserObjects("atop")
    parser_class = parser_objects.get("atop").__class__
    if parser_class.__module__ == "plaso_atop.parser":
        manager.ParsersManager.DeregisterParser(parser_class)


def _ExtendParsers(unused_module):
    """Registers the atop parser.

    Args:
      unused_module (module): plaso.parsers.

    Raises:
      Exception: if the parser cannot be imported or registered.
    """
    try:
        # Registers the parser. Where a program imports it before Plaso, that import is
        # still going on and will do so.
        from plaso_atop import parser as _
    except Exception:
        _DeregisterParser()
        raise


def _HasModule(name):
    """Determines if Plaso has a module, without importing it.

    Args:
      name (str): name of the module.

    Returns:
      bool: True if the module exists or if that cannot be told.
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


_HOOKS = (
    (hooks.PARSER, "plaso.parsers", _ExtendParsers),
    (hooks.PRESET, "plaso.parsers.presets", data_files.ExtendPresets),
    (
        hooks.TIMELINER,
        "plaso.engine.yaml_timeliner_file",
        data_files.ExtendTimeliner,
    ),
    (hooks.MESSAGES, "plaso.output.mediator", data_files.ExtendMessages),
    (hooks.USER_NAMES, "plaso.engine.engine", user_names.ExtendPreprocessing),
    (hooks.USER_NAMES, "plaso.parsers.mediator", user_names.ExtendParserMediator),
    (hooks.TAGGING, "plaso.engine.tagging_file", data_files.ExtendTaggingRules),
    (
        hooks.TAGGING,
        "plaso.cli.helpers.tagging_analysis",
        data_files.ExtendTaggingFileOption,
    ),
    (
        hooks.INDEX_MAPPINGS,
        "plaso.output.shared_opensearch",
        data_files.ExtendIndexMappings,
    ),
    (hooks.ARTIFACTS, "plaso.engine.engine", data_files.ExtendArtifactDefinitions),
    (hooks.FILE_FILTER, "plaso.cli.helpers.filter_file", data_files.ExtendFileFilter),
)


def IsDisabled():
    """Determines if the package is switched off by the environment.

    Returns:
      bool: True if switched off.
    """
    return os.environ.get(DISABLE_VARIABLE, "0") not in ("", "0")


def IsInstalled():
    """Determines if the hooks are registered.

    Returns:
      bool: True if registered.
    """
    return _installed


def Install():
    """Registers the hooks, unless the environment says otherwise."""
    global _installed  # pylint: disable=global-statement

    if _installed or IsDisabled():
        return

    import wrapt

    _installed = True

    for extension, module_name, function in _HOOKS:

        def Hook(module, extension=extension, function=function):
            with hooks.Guard(extension):
                function(module)

        with hooks.Guard(extension):
            # A hook for a module that is gone would wait in silence.
            if not _HasModule(module_name):
                raise ModuleNotFoundError(f"No module named {module_name!r}")

            wrapt.register_post_import_hook(Hook, module_name)
