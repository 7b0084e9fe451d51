"""Names of the users of a source, which Plaso does not hand to its parsers.

The system configurations that preprocessing finds carry them to the worker processes.

This module is imported before Plaso is, hence must not import any of it at the top.
"""

# pylint: disable=import-outside-toplevel

import inspect
import re

from plaso_atop.integration import hooks

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
            with hooks.Guard(hooks.USER_NAMES):
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


def ExtendParserMediator(module):
    """Has the parser mediator keep the names of the users.

    Args:
      module (module): plaso.parsers.mediator.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    mediator_class = module.ParserMediator
    hooks.CheckMethod(mediator_class, "__init__", system_configurations=[])
    hooks.CheckMethod(mediator_class, "GetFileEntry")

    def Initialize(wrapped, mediator, args, kwargs):
        wrapped(*args, **kwargs)

        with hooks.Guard(hooks.USER_NAMES):
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

    hooks.Wrap(mediator_class, "__init__", Initialize)


def ExtendPreprocessing(module):
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
    hooks.CheckMethod(
        engine_class,
        "PreprocessSource",
        file_system_path_specs=[],
        storage_writer=None,
    )

    def PreprocessSource(wrapped, unused_engine, args, kwargs):
        path_specs = None
        with hooks.Guard(hooks.USER_NAMES):
            arguments = inspect.signature(wrapped).bind(*args, **kwargs)
            path_specs = _PathSpecs(
                arguments.arguments["file_system_path_specs"],
                arguments.arguments["storage_writer"],
            )
            arguments.arguments["file_system_path_specs"] = path_specs
            args, kwargs = arguments.args, arguments.kwargs

        system_configurations = wrapped(*args, **kwargs)

        with hooks.Guard(hooks.USER_NAMES):
            for system_configuration in system_configurations:
                # pylint: disable=protected-access
                system_configuration._atop_user_names = path_specs.GetUserNames(
                    system_configuration.path_specs
                )

        return system_configurations

    hooks.Wrap(engine_class, "PreprocessSource", PreprocessSource)


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
