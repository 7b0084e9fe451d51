"""How a method of Plaso is extended, and what happens where that does not work out.

Where a Plaso does not have what an extension builds on, there is one warning and Plaso
works as if the extension were not there.

This module is imported before Plaso is, hence must not import any of it.
"""

# pylint: disable=import-outside-toplevel

import contextlib
import inspect
import logging
import multiprocessing

# Names of the extensions.
PARSER = "parser"
PRESET = "preset"
TIMELINER = "timeliner"
MESSAGES = "messages"
USER_NAMES = "user names"
TAGGING = "tagging"
INDEX_MAPPINGS = "mappings"
ARTIFACTS = "artifacts"
FILE_FILTER = "file filter"

# What went wrong per extension, for plaso-atop check.
problems = {}

_logger = logging.getLogger("plaso_atop")


def _Warn(extension, reason):
    """Warns that an extension is not available, once per extension.

    Args:
      extension (str): name of the extension.
      reason (str): what is missing.
    """
    if extension in problems:
        return

    problems[extension] = reason

    # A worker process that starts anew comes to the same conclusion as the main
    # process, which has said so already.
    if not getattr(multiprocessing.current_process(), "_inheriting", False):
        _logger.warning(
            f"plaso-atop: {extension:s} not available in this Plaso: {reason:s}"
        )


def CheckMethod(plaso_class, name, *args, **kwargs):
    """Checks that a method can be called the way an extension relies on.

    Args:
      plaso_class (type): class.
      name (str): name of the method.
      args (list[object]): positional arguments.
      kwargs (dict[str, object]): keyword arguments.

    Raises:
      TypeError: if the method takes other arguments.
    """
    try:
        method = getattr(plaso_class, name)
        if not inspect.ismethod(method):
            # The object, which a class method knows already.
            args = (None, *args)
        inspect.signature(method).bind(*args, **kwargs)
    except (AttributeError, TypeError, ValueError) as exception:
        raise TypeError(
            f"{plaso_class.__module__:s}.{plaso_class.__name__:s}.{name:s}: "
            f"{exception!s}"
        ) from exception


@contextlib.contextmanager
def Guard(extension):
    """Turns every exception of an extension into a warning, so that Plaso goes on.

    Args:
      extension (str): name of the extension.

    Yields:
      None: nothing.
    """
    try:
        yield
    except Exception as exception:  # pylint: disable=broad-except
        _Warn(extension, f"{exception.__class__.__name__:s}: {exception!s}")


def Wrap(plaso_class, name, wrapper):
    """Wraps a method.

    Args:
      plaso_class (type): class.
      name (str): name of the method.
      wrapper (function): function that is called with the wrapped method, its object
          and its arguments.
    """
    import wrapt

    wrapt.wrap_function_wrapper(plaso_class, name, wrapper)
