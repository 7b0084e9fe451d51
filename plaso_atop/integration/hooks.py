"""How a method of Plaso is extended, and what happens where that fails.

A Plaso that lacks what an extension relies on causes one warning. It then works as if
the extension did not exist.

This module is imported before Plaso, hence imports none of it.
"""

# pylint: disable=import-outside-toplevel

import collections
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
COMPRESSION = "compression"
ANALYSIS = "analysis"

# Problems per extension, for plaso-atop check.
problems = {}

# All hooks, in the order in which the modules define them.
registered_hooks = []

_logger = logging.getLogger("plaso_atop")


class Call(collections.namedtuple("Call", ["method", "object", "arguments"])):
    """Call of an extended method.

    Attributes:
      method (function): method of Plaso without the extension, bound to the object.
      object (object): object, or class of a class method.
      arguments (inspect.BoundArguments): arguments, which an extension may change.
    """

    __slots__ = ()


class Hook(collections.namedtuple("Hook", ["extension", "module_name", "function"])):
    """Function that is called when a module of Plaso has been imported.

    Attributes:
      extension (str): name of the extension.
      module_name (str): name of the module.
      function (function): function, which gets the module and raises nothing.
    """

    __slots__ = ()


class Method:
    """Method of Plaso with arguments that it must accept.

    Attributes:
      name (str): name of the method.
    """

    def __init__(self, name, *args, **kwargs):
        """Initializes a method.

        Args:
          name (str): name of the method.
          args (list[object]): positional arguments.
          kwargs (dict[str, object]): keyword arguments.
        """
        super().__init__()
        self._args = args
        self._kwargs = kwargs
        self.name = name

    def Check(self, plaso_class):
        """Checks that a class has the method and that it accepts the arguments.

        Args:
          plaso_class (type): class.

        Raises:
          TypeError: if the method is missing or takes other arguments.
        """
        args = self._args
        try:
            method = getattr(plaso_class, self.name)
            if not inspect.ismethod(method):
                # The object, which a class method is bound to already.
                args = (None, *args)
            inspect.signature(method).bind(*args, **self._kwargs)
        except (AttributeError, TypeError, ValueError) as exception:
            raise TypeError(
                f"{plaso_class.__module__:s}.{plaso_class.__name__:s}.{self.name:s}: "
                f"{exception!s}"
            ) from exception


def _Warn(extension, reason):
    """Warns that an extension is not available, once per extension.

    Args:
      extension (str): name of the extension.
      reason (str): what is missing.
    """
    if extension in problems:
        return

    problems[extension] = reason

    # A worker process that starts anew finds the same problem as the main process,
    # which has warned already.
    if not getattr(multiprocessing.current_process(), "_inheriting", False):
        _logger.warning(
            f"plaso-atop: {extension:s} not available in this Plaso: {reason:s}"
        )


def AfterImport(extension, module_name):
    """Registers a function that is called when a module of Plaso has been imported.

    Args:
      extension (str): name of the extension.
      module_name (str): name of the module.

    Returns:
      function: decorator of the function, which gets the module.
    """

    def Register(function):
        def Run(module):
            with Guard(extension):
                function(module)

        registered_hooks.append(Hook(extension, module_name, Run))
        return function

    return Register


def Extends(extension, class_name, method, *other_methods):
    """Registers a generator that extends a method of Plaso.

    As a hook wrapper of pluggy does, the generator yields once. The part before the
    yield runs before the method. The yield gives the result of the method. What the
    generator returns becomes the result. If either part fails, there is a warning and
    the method works as without it.

    Args:
      extension (str): name of the extension.
      class_name (str): name of the module and class.
      method (Method): method that is extended.
      other_methods (list[Method]): other methods that the generator relies on.

    Returns:
      function: decorator of the generator, which gets a Call.
    """
    module_name, _, class_name = class_name.rpartition(".")

    def Register(function):
        def Wrapper(wrapped, instance, args, kwargs):
            steps = None
            with Guard(extension):
                arguments = inspect.signature(wrapped).bind(*args, **kwargs)
                generator = function(Call(wrapped, instance, arguments))
                next(generator)
                args, kwargs = arguments.args, arguments.kwargs
                steps = generator

            # Not guarded: its exceptions are for Plaso.
            result = wrapped(*args, **kwargs)

            if steps:
                with Guard(extension):
                    try:
                        steps.send(result)
                    except StopIteration as exception:
                        result = exception.value

            return result

        @AfterImport(extension, module_name)
        def WrapMethod(module):  # pylint: disable=unused-variable
            import wrapt

            plaso_class = getattr(module, class_name)
            for required_method in (method, *other_methods):
                required_method.Check(plaso_class)

            wrapt.wrap_function_wrapper(plaso_class, method.name, Wrapper)

        return function

    return Register


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
