"""User names of a source, which Plaso does not pass on to its parsers.

The system configurations of preprocessing carry them to the worker processes.

This module is imported before Plaso, hence imports none of it at the top.
"""

# pylint: disable=import-outside-toplevel

import re

from plaso_atop.integration import hooks

_USER_IDENTIFIER_REGEX = re.compile(r"-?[0-9]+\Z")


class _PathSpecs(list):
    """Path specifications that record which user accounts each of them adds.

    Plaso preprocesses one path specification after the other. It writes all user
    accounts to the same storage, without their origin. Their number, each time Plaso
    asks for the next path specification, separates them.
    """

    def __init__(self, path_specs, storage_writer):
        """Initializes the path specifications.

        Args:
          path_specs (list[dfvfs.PathSpec]): path specifications.
          storage_writer (StorageWriter): storage writer of the accounts.
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
        """Retrieves the names of the users of specific file systems.

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
            raise RuntimeError("unable to separate the accounts of several systems")

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
    """Finds the user names of the system that a file belongs to.

    Args:
      path_spec (dfvfs.PathSpec): path specification of the file.
      systems (list[tuple[list[tuple], dict[str, str]]]): keys of the volumes and user
          names per user identifier of every system.

    Returns:
      dict[str, str]: user names per user identifier (UID).
    """
    # The parent of a file is its volume. The parent of a compressed file, or of a file
    # in an archive, is another file.
    while path_spec.parent:
        path_spec = path_spec.parent
        volume_key = _GetVolumeKey(path_spec)
        for volume_keys, user_names in systems:
            if volume_key in volume_keys:
                return user_names

    return {}


def _GetVolumeKey(path_spec):
    """Determines a key that is the same for the same volume.

    The path specification of a file in a worker process lacks some properties, such as
    the sector size. It therefore differs from the one of preprocessing.

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


@hooks.Extends(
    hooks.USER_NAMES,
    "plaso.parsers.mediator.ParserMediator",
    hooks.Method("__init__", system_configurations=[]),
    hooks.Method("GetFileEntry"),
)
def ExtendParserMediator(call):
    """Keeps the user names in the parser mediator.

    Args:
      call (hooks.Call): call of the method.

    Yields:
      None: to get the result of the method.
    """
    yield

    mediator = call.object
    system_configurations = call.arguments.arguments.get("system_configurations")
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
        for system_configuration in system_configurations or []
    ]
    mediator._atop_user_names = {}


@hooks.Extends(
    hooks.USER_NAMES,
    "plaso.engine.engine.BaseEngine",
    hooks.Method("PreprocessSource", file_system_path_specs=[], storage_writer=None),
)
def ExtendPreprocessing(call):
    """Adds the user names to the system configurations.

    The attribute is a protected one. Plaso does not write such to its storage, but
    passes them on to the worker processes.

    Args:
      call (hooks.Call): call of the method.

    Yields:
      None: to get the result of the method.

    Returns:
      list[SystemConfigurationArtifact]: system configurations.
    """
    arguments = call.arguments.arguments
    path_specs = _PathSpecs(
        arguments["file_system_path_specs"], arguments["storage_writer"]
    )
    arguments["file_system_path_specs"] = path_specs

    system_configurations = yield

    for system_configuration in system_configurations:
        # pylint: disable=protected-access
        system_configuration._atop_user_names = path_specs.GetUserNames(
            system_configuration.path_specs
        )

    return system_configurations


def GetUsername(parser_mediator, user_identifier):
    """Retrieves the name of a user of the system that the active file belongs to.

    Args:
      parser_mediator (ParserMediator): mediates interactions between parsers and other
          components, such as storage and dfVFS.
      user_identifier (int): user identifier (UID), unsigned.

    Returns:
      str: name of the user in the accounts of the source, or None if not known.
    """
    # pylint: disable=protected-access
    systems = getattr(parser_mediator, "_atop_systems", None)
    if not systems:
        return None

    # The log may stand on another volume than the accounts, for example that of /var.
    # It is certainly of the same system only where the source has no other.
    if len(systems) == 1:
        user_names = systems[0][1]
    else:
        path_spec = getattr(parser_mediator.GetFileEntry(), "path_spec", None)
        if path_spec and path_spec is not parser_mediator._atop_path_spec:
            parser_mediator._atop_user_names = _FindUserNames(path_spec, systems)
            parser_mediator._atop_path_spec = path_spec

        user_names = parser_mediator._atop_user_names if path_spec else {}

    return user_names.get(f"{user_identifier:d}")
