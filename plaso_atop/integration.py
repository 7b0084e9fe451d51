"""How the installed Plaso comes to know the atop parser and what belongs to it.

Plaso has no entry points for parsers and reads its presets, timeliner configuration and
message formatters from one data directory. Install() therefore registers hooks that run
when a module of Plaso has been imported and extend one method each. Where a Plaso does
not have what a hook builds on, there is one warning and Plaso works as if this package
were not installed.

This module is imported before Plaso is, hence must not import any of it at the top.
"""

# pylint: disable=import-outside-toplevel

import contextlib
import glob
import importlib.machinery
import inspect
import logging
import multiprocessing
import os
import re

PARSER = "parser"
PRESET = "preset"
TIMELINER = "timeliner"
MESSAGES = "messages"
USER_NAMES = "user names"

DISABLE_VARIABLE = "PLASO_ATOP_DISABLE"

# What went wrong per extension, for plaso-atop check.
problems = {}

_logger = logging.getLogger("plaso_atop")

_installed = False

_USER_IDENTIFIER_REGEX = re.compile(r"-?[0-9]+\Z")


class _PathSpecs(list):
    """Path specifications that note which user accounts each of them adds.

    Plaso preprocesses one path specification after the other and writes the user
    accounts of all of them to the same storage, without their origin. How many there
    are each time it asks for the next path specification tells them apart.
    """

    def __init__(self, path_specs, storage_writer):
        """Initializes the path specifications.

        Args:
          path_specs (list[dfvfs.PathSpec]): path specifications.
          storage_writer (StorageWriter): storage writer the accounts are written to.
        """
        super().__init__(path_specs)
        self._numbers_of_accounts = []
        self._storage_writer = storage_writer

    def __iter__(self):
        """Iterates over the path specifications.

        Yields:
          dfvfs.PathSpec: path specification.
        """
        self._numbers_of_accounts = []
        for path_spec in super().__iter__():
            with _Guard(USER_NAMES):
                self._numbers_of_accounts.append(len(self._GetUserAccounts()))
            yield path_spec

    def _GetUserAccounts(self):
        """Retrieves the user accounts.

        Returns:
          list[UserAccountArtifact]: user accounts in the order they were added.
        """
        return list(self._storage_writer.GetAttributeContainers("user_account"))

    def GetUserNames(self, path_specs):
        """Retrieves the names of the users found on specific file systems.

        Args:
          path_specs (list[dfvfs.PathSpec]): path specifications of the file systems.

        Returns:
          dict[str, str]: user names per user identifier (UID).

        Raises:
          RuntimeError: if the path specifications were not iterated.
        """
        user_accounts = self._GetUserAccounts()
        bounds = self._numbers_of_accounts + [len(user_accounts)]
        if len(bounds) != len(self) + 1:
            raise RuntimeError("unable to tell the accounts of several systems apart")

        user_names = {}
        for index, path_spec in enumerate(super().__iter__()):
            if path_spec not in path_specs:
                continue

            for user_account in user_accounts[bounds[index] : bounds[index + 1]]:
                # Windows has security identifiers (SID) here.
                if user_account.username and _USER_IDENTIFIER_REGEX.match(
                    user_account.identifier or ""
                ):
                    # macOS has negative ones, such as -2 of nobody.
                    user_identifier = int(user_account.identifier) & 0xFFFFFFFF
                    # As getpwuid() does, take the first of several names.
                    user_names.setdefault(f"{user_identifier:d}", user_account.username)

        return user_names


@contextlib.contextmanager
def _Guard(extension):
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


def _CheckMethod(plaso_class, name, *args, **kwargs):
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
        inspect.signature(method).bind(None, *args, **kwargs)
    except (AttributeError, TypeError, ValueError) as exception:
        raise TypeError(
            f"{plaso_class.__module__:s}.{plaso_class.__name__:s}.{name:s}: "
            f"{exception!s}"
        ) from exception


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


def _DeregisterParser():
    """Deregisters the atop parser, if a failed import left it registered."""
    from plaso.parsers import manager

    parser_objects = manager.ParsersManager.GetParserObjects("atop")
    parser_class = parser_objects.get("atop").__class__
    if parser_class.__module__ == "plaso_atop.parser":
        manager.ParsersManager.DeregisterParser(parser_class)


def _ExtendPresets(module):
    """Has the presets name the atop plugins.

    Args:
      module (module): plaso.parsers.presets.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    presets_manager_class = module.ParserPresetsManager
    _CheckMethod(presets_manager_class, "GetNames")
    _CheckMethod(presets_manager_class, "GetPresetByName", "linux")
    _CheckMethod(presets_manager_class, "ReadFromFile", "presets.yaml")

    original_method = presets_manager_class.ReadFromFile
    path = os.path.join(GetDataLocation(), "presets.yaml")

    def ReadFromFile(wrapped, presets_manager, args, kwargs):
        result = wrapped(*args, **kwargs)

        # A preset with a parser that Plaso does not know keeps it from running at all.
        if PARSER not in problems:
            with _Guard(PRESET):
                own_presets_manager = presets_manager_class()
                original_method(own_presets_manager, path)
                for name in own_presets_manager.GetNames():
                    preset = presets_manager.GetPresetByName(name)
                    # A preset with "atop" has all plugins already.
                    if preset and "atop" not in preset.parsers:
                        own_preset = own_presets_manager.GetPresetByName(name)
                        preset.parsers.extend(
                            parser
                            for parser in own_preset.parsers
                            if parser not in preset.parsers
                        )

        return result

    _Wrap(presets_manager_class, "ReadFromFile", ReadFromFile)


def _ExtendTimeliner(module):
    """Has the timeliner know the dates and times of the atop events.

    Args:
      module (module): plaso.engine.yaml_timeliner_file.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    file_class = module.YAMLTimelinerConfigurationFile
    _CheckMethod(file_class, "ReadFromFile", "timeliner.yaml")

    path = os.path.join(GetDataLocation(), "timeliner.yaml")

    def ReadFromFile(wrapped, unused_file, args, kwargs):
        data_types = set()
        for definition in wrapped(*args, **kwargs):
            # The timeliner refuses a data type that is defined twice.
            data_types.add(getattr(definition, "data_type", None))
            yield definition

        definitions = []
        with _Guard(TIMELINER):
            definitions.extend(
                definition
                for definition in wrapped(path)
                if definition.data_type not in data_types
            )

        yield from definitions

    _Wrap(file_class, "ReadFromFile", ReadFromFile)


def _ExtendMessages(module):
    """Has the output know the message formatters of the atop events.

    Args:
      module (module): plaso.output.mediator.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    mediator_class = module.OutputMediator
    _CheckMethod(mediator_class, "ReadMessageFormattersFromDirectory", "formatters")
    _CheckMethod(
        mediator_class,
        "ReadMessageFormattersFromFile",
        "atop.yaml",
        override_existing=True,
    )

    own_directory = os.path.join(GetDataLocation(), "formatters")

    def ReadMessageFormattersFromDirectory(wrapped, mediator, args, kwargs):
        result = wrapped(*args, **kwargs)

        with _Guard(MESSAGES):
            own_paths = _GetYAMLFiles(own_directory)
            try:
                for path in own_paths:
                    mediator.ReadMessageFormattersFromFile(path)

            except KeyError:
                # The directory defines some of our data types itself, which it shall
                # win: read all of ours, then once more all of that directory.
                directory = inspect.signature(wrapped).bind(*args, **kwargs).args[0]
                for path in own_paths + _GetYAMLFiles(directory):
                    mediator.ReadMessageFormattersFromFile(path, override_existing=True)

        return result

    _Wrap(
        mediator_class,
        "ReadMessageFormattersFromDirectory",
        ReadMessageFormattersFromDirectory,
    )


def _ExtendPreprocessing(module):
    """Has the system configurations carry the names of the users.

    The attribute is a protected one, which Plaso does not write to its storage, but
    which goes along to the worker processes.

    Args:
      module (module): plaso.engine.engine.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    engine_class = module.BaseEngine
    _CheckMethod(
        engine_class,
        "PreprocessSource",
        file_system_path_specs=[],
        storage_writer=None,
    )

    def PreprocessSource(wrapped, unused_engine, args, kwargs):
        path_specs = None
        with _Guard(USER_NAMES):
            arguments = inspect.signature(wrapped).bind(*args, **kwargs)
            path_specs = _PathSpecs(
                arguments.arguments["file_system_path_specs"],
                arguments.arguments["storage_writer"],
            )
            arguments.arguments["file_system_path_specs"] = path_specs
            args, kwargs = arguments.args, arguments.kwargs

        system_configurations = wrapped(*args, **kwargs)

        with _Guard(USER_NAMES):
            for system_configuration in system_configurations:
                # pylint: disable=protected-access
                system_configuration._atop_user_names = path_specs.GetUserNames(
                    system_configuration.path_specs
                )

        return system_configurations

    _Wrap(engine_class, "PreprocessSource", PreprocessSource)


def _ExtendParserMediator(module):
    """Has the parser mediator keep the names of the users.

    Args:
      module (module): plaso.parsers.mediator.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    mediator_class = module.ParserMediator
    _CheckMethod(mediator_class, "__init__", system_configurations=[])
    _CheckMethod(mediator_class, "GetFileEntry")

    def Initialize(wrapped, mediator, args, kwargs):
        wrapped(*args, **kwargs)

        with _Guard(USER_NAMES):
            arguments = inspect.signature(wrapped).bind(*args, **kwargs).arguments
            # pylint: disable=protected-access
            mediator._atop_path_spec = None
            mediator._atop_systems = [
                (
                    [
                        _GetVolumeKey(path_spec.parent)
                        for path_spec in system_configuration.path_specs
                        if path_spec.parent
                    ],
                    getattr(system_configuration, "_atop_user_names", {}),
                )
                for system_configuration in arguments.get("system_configurations") or []
            ]
            mediator._atop_user_names = {}

    _Wrap(mediator_class, "__init__", Initialize)


def _FindUserNames(path_spec, systems):
    """Finds the names of the users of the system that a file belongs to.

    Args:
      path_spec (dfvfs.PathSpec): path specification of the file.
      systems (list[tuple[list[tuple], dict[str, str]]]): keys of the volumes and user
          names per user identifier of every system.

    Returns:
      dict[str, str]: user names per user identifier (UID).
    """
    # The parent of a file is its volume, but that of a compressed file, or of one in an
    # archive, is another file.
    while path_spec.parent:
        path_spec = path_spec.parent
        volume_key = _GetVolumeKey(path_spec)
        for volume_keys, user_names in systems:
            if volume_key in volume_keys:
                return user_names

    return {}


def _GetVolumeKey(path_spec):
    """Determines a key that is the same for the same volume.

    The path specification of a file that Plaso hands to a worker process has lost some
    properties, such as the sector size, hence differs from that of preprocessing.

    Args:
      path_spec (dfvfs.PathSpec): path specification of the volume.

    Returns:
      tuple[object, ...]: key.
    """
    from dfvfs.path import factory

    components = []
    while path_spec:
        properties = sorted(factory.Factory.GetProperties(path_spec).items())
        components.append((path_spec.type_indicator, f"{properties!r}"))
        path_spec = path_spec.parent

    return tuple(components)


def _GetYAMLFiles(directory):
    """Retrieves the YAML files of a directory.

    Args:
      directory (str): path of the directory.

    Returns:
      list[str]: paths of the files.
    """
    return sorted(glob.glob(os.path.join(glob.escape(directory), "*.yaml")))


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


def _Wrap(plaso_class, name, wrapper):
    """Wraps a method.

    Args:
      plaso_class (type): class.
      name (str): name of the method.
      wrapper (function): function that is called with the wrapped method, its object
          and its arguments.
    """
    import wrapt

    wrapt.wrap_function_wrapper(plaso_class, name, wrapper)


_HOOKS = (
    (PARSER, "plaso.parsers", _ExtendParsers),
    (PRESET, "plaso.parsers.presets", _ExtendPresets),
    (TIMELINER, "plaso.engine.yaml_timeliner_file", _ExtendTimeliner),
    (MESSAGES, "plaso.output.mediator", _ExtendMessages),
    (USER_NAMES, "plaso.engine.engine", _ExtendPreprocessing),
    (USER_NAMES, "plaso.parsers.mediator", _ExtendParserMediator),
)


def GetDataLocation():
    """Retrieves the location of the data files.

    Returns:
      str: path of the directory.
    """
    package_path = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(package_path, "data")
    if not os.path.isdir(path):
        # In the source tree the directory stands beside the package, as in Plaso's.
        path = os.path.join(os.path.dirname(package_path), "data")

    return path


def GetUsername(parser_mediator, user_identifier):
    """Retrieves the name of a user of the system that the active file belongs to.

    Args:
      parser_mediator (ParserMediator): mediates interactions between parsers and other
          components, such as storage and dfVFS.
      user_identifier (int): user identifier (UID), unsigned.

    Returns:
      str: name of the user as found in the source or None if not available.
    """
    # pylint: disable=protected-access
    systems = getattr(parser_mediator, "_atop_systems", None)
    if not systems:
        return None

    # A log on another volume than the accounts, for example that of /var, can only be
    # told to be of the same system where the source has no other.
    if len(systems) == 1:
        user_names = systems[0][1]
    else:
        path_spec = getattr(parser_mediator.GetFileEntry(), "path_spec", None)
        if path_spec and path_spec is not parser_mediator._atop_path_spec:
            parser_mediator._atop_user_names = _FindUserNames(path_spec, systems)
            parser_mediator._atop_path_spec = path_spec

        user_names = parser_mediator._atop_user_names if path_spec else {}

    return user_names.get(f"{user_identifier:d}")


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
            with _Guard(extension):
                function(module)

        with _Guard(extension):
            # A hook for a module that is gone would wait in silence.
            if not _HasModule(module_name):
                raise ModuleNotFoundError(f"No module named {module_name!r}")

            wrapt.register_post_import_hook(Hook, module_name)
