"""Command line tool to check the installation and to look at atop raw logs."""

import argparse
import datetime
import os
import site
import sys

from plaso_atop import __version__
from plaso_atop import data_files
from plaso_atop import hooks
from plaso_atop import integration
from plaso_atop import user_names

# Modules of Plaso are imported by what needs them: "info" works without Plaso.
# pylint: disable=import-outside-toplevel

_PTH_FILE = "plaso_atop.pth"


def _CheckArtifacts():
    """Checks that Plaso knows the artifact definitions.

    Returns:
      str: what was found.

    Raises:
      RuntimeError: if something is missing.
    """
    from artifacts import reader
    from plaso.cli import tools
    from plaso.cli.helpers import artifact_definitions
    from plaso.engine import engine

    tool = tools.CLITool()
    artifact_definitions.ArtifactDefinitionsArgumentsHelper.ParseOptions(
        argparse.Namespace(), tool
    )
    base_engine = engine.BaseEngine()
    # pylint: disable=protected-access
    base_engine.BuildArtifactsRegistry(tool._artifact_definitions_path, None)

    path = os.path.join(data_files.GetDataLocation(), "artifacts.yaml")
    names = [
        definition.name for definition in reader.YamlArtifactsReader().ReadFile(path)
    ]
    registry = base_engine._artifacts_registry
    missing = [name for name in names if not registry.GetDefinitionByName(name)]
    if missing:
        raise RuntimeError(f"no artifact definition: {', '.join(missing):s}")

    return ", ".join(names)


def _CheckFileFilter():
    """Checks that Plaso finds the filter file by its name.

    Returns:
      str: what was found.

    Raises:
      BadConfigOption: if the file is not found.
    """
    from plaso.cli import tools
    from plaso.cli.helpers import filter_file

    tool = tools.CLITool()
    filter_file.FilterFileArgumentsHelper.ParseOptions(
        argparse.Namespace(file_filter="filter_atop.yaml"), tool
    )
    return tool._filter_file  # pylint: disable=protected-access


def _CheckIndexMappings():
    """Checks that the outputs to OpenSearch know the types of the attributes.

    Returns:
      str: what was found.

    Raises:
      RuntimeError: if something is missing.
    """
    from plaso.output import opensearch

    output_module = opensearch.OpenSearchOutputModule()
    output_module.SetMappings({"properties": {}})
    # pylint: disable=protected-access
    properties = output_module._mappings["properties"]
    if not properties:
        raise RuntimeError("the outputs to OpenSearch have no types of attributes")

    return f"types of {len(properties):d} attributes"


def _CheckMessages():
    """Checks that every data type has a message formatter.

    Returns:
      str: what was found.

    Raises:
      RuntimeError: if something is missing.
    """
    from plaso.output import mediator as output_mediator

    mediator = output_mediator.OutputMediator(None)
    mediator.ReadMessageFormattersFromDirectory(
        os.path.join(_GetPlasoDataLocation(), "formatters")
    )
    data_types = _GetDataTypes()
    missing = [name for name in data_types if not mediator.GetMessageFormatter(name)]
    if missing:
        raise RuntimeError(f"no message formatter for: {', '.join(missing):s}")

    return ", ".join(data_types)


def _CheckParser():
    """Checks that Plaso has the parser with its plugins.

    Returns:
      str: what was found.

    Raises:
      RuntimeError: if something is missing.
    """
    from plaso import parsers as _
    from plaso.parsers import manager

    parser = manager.ParsersManager.GetParserObjects("atop").get("atop")
    if not parser:
        raise RuntimeError("Plaso has no parser atop")

    if parser.__class__.__module__ != "plaso_atop.parser":
        raise RuntimeError(f"Plaso has its own: {parser.__class__.__module__:s}")

    plugins = manager.ParsersManager.GetParserPluginsInformation("atop")
    if not plugins:
        raise RuntimeError("the parser has no plugins")

    return ", ".join(sorted(f"atop/{name:s}" for name, _ in plugins))


def _CheckPreset():
    """Checks that the preset of Linux has the plugins.

    Returns:
      str: what was found.

    Raises:
      RuntimeError: if something is missing.
    """
    from plaso.parsers import presets

    presets_manager = presets.ParserPresetsManager()
    presets_manager.ReadFromFile(os.path.join(_GetPlasoDataLocation(), "presets.yaml"))
    names = [
        name
        for name in presets_manager.GetParsersByPreset("linux")
        if name.partition("/")[0] == "atop"
    ]
    if not names:
        raise RuntimeError("the preset linux has no atop plugin")

    return f"linux: {', '.join(names):s}"


def _CheckStartup():
    """Checks that importing Plaso loaded the integration.

    Returns:
      str: what was found.

    Raises:
      RuntimeError: if something is missing.
    """
    directories = site.getsitepackages() + [site.getusersitepackages()]
    paths = [os.path.join(directory, _PTH_FILE) for directory in directories]
    existing_paths = [path for path in paths if os.path.isfile(path)]

    if not existing_paths:
        raise RuntimeError(f"no {_PTH_FILE:s} in: {', '.join(directories):s}")

    if not integration.IsInstalled():
        raise RuntimeError(f"importing Plaso did not load {existing_paths[0]:s}")

    return existing_paths[0]


def _CheckTagging():
    """Checks that Plaso finds the tagging file by its name and adds it to that of Linux.

    Returns:
      str: what was found.

    Raises:
      BadConfigOption: if the file is not found.
      RuntimeError: if something is missing.
    """
    from plaso.analysis import tagging
    from plaso.cli.helpers import tagging_analysis
    from plaso.engine import tagging_file

    data_location = _GetPlasoDataLocation()
    analysis_plugin = tagging.TaggingAnalysisPlugin()
    tagging_analysis.TaggingAnalysisArgumentsHelper.ParseOptions(
        argparse.Namespace(data_location=data_location, tagging_file="tag_atop.txt"),
        analysis_plugin,
    )
    labels = list(analysis_plugin._tagging_rules)  # pylint: disable=protected-access

    path = os.path.join(data_location, "tag_linux.txt")
    linux_rules = tagging_file.TaggingFile(path).GetEventTaggingRules()
    missing = [label for label in labels if label not in linux_rules]
    if missing:
        raise RuntimeError(f"tag_linux.txt has no: {', '.join(missing):s}")

    return f"{len(labels):d} labels in tag_atop.txt and tag_linux.txt"


def _CheckTimeliner():
    """Checks that the timeliner knows every data type.

    Returns:
      str: what was found.

    Raises:
      RuntimeError: if something is missing.
    """
    from plaso.engine import yaml_timeliner_file

    configuration_file = yaml_timeliner_file.YAMLTimelinerConfigurationFile()
    path = os.path.join(_GetPlasoDataLocation(), "timeliner.yaml")
    known = {entry.data_type for entry in configuration_file.ReadFromFile(path)}
    data_types = _GetDataTypes()
    missing = [name for name in data_types if name not in known]
    if missing:
        raise RuntimeError(f"no dates and times for: {', '.join(missing):s}")

    return ", ".join(data_types)


def _CheckUserNames():
    """Checks that user names reach the parser.

    Returns:
      str: what was found.

    Raises:
      RuntimeError: if something is missing.
    """
    from plaso.containers import artifacts
    from plaso.engine import engine
    from plaso.parsers import mediator

    system_configuration = artifacts.SystemConfigurationArtifact()
    # pylint: disable=protected-access
    system_configuration._atop_user_names = {"0": "root"}
    parser_mediator = mediator.ParserMediator(
        system_configurations=[system_configuration]
    )
    if user_names.GetUsername(parser_mediator, 0) != "root":
        raise RuntimeError("the parser gets no user names")

    if not hasattr(engine.BaseEngine.PreprocessSource, "__wrapped__"):
        raise RuntimeError("preprocessing passes no user names on")

    return "from the accounts that preprocessing finds"


_CHECKS = (
    ("start-up", _CheckStartup),
    (hooks.PARSER, _CheckParser),
    (hooks.PRESET, _CheckPreset),
    (hooks.TIMELINER, _CheckTimeliner),
    (hooks.MESSAGES, _CheckMessages),
    (hooks.USER_NAMES, _CheckUserNames),
    (hooks.TAGGING, _CheckTagging),
    (hooks.INDEX_MAPPINGS, _CheckIndexMappings),
    (hooks.ARTIFACTS, _CheckArtifacts),
    (hooks.FILE_FILTER, _CheckFileFilter),
)


def _FormatTime(timestamp):
    """Formats a date and time.

    Args:
      timestamp (int): number of seconds since January 1, 1970 00:00:00 UTC.

    Returns:
      str: date and time or the number if it is out of range.
    """
    try:
        date_time = datetime.datetime.fromtimestamp(timestamp, datetime.timezone.utc)
        return date_time.strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OSError, OverflowError, ValueError):
        return f"not valid ({timestamp:d})"


def _GetDataTypes():
    """Retrieves the data types of the events.

    Returns:
      list[str]: data types that the event data classes define.

    Raises:
      RuntimeError: if there are none.
    """
    from plaso import parsers as _
    from plaso.containers import events

    data_types = set()
    event_data_classes = [events.EventData]
    while event_data_classes:
        event_data_class = event_data_classes.pop()
        event_data_classes.extend(event_data_class.__subclasses__())
        if event_data_class.__module__.startswith("plaso_atop."):
            data_types.add(getattr(event_data_class, "DATA_TYPE", None))

    data_types.discard(None)
    if not data_types:
        raise RuntimeError("no events are defined")

    return sorted(data_types)


def _GetPlasoDataLocation():
    """Retrieves the location of Plaso's data files.

    Returns:
      str: path of the directory.

    Raises:
      RuntimeError: if there are none.
    """
    from plaso.cli import tools
    from plaso.cli.helpers import data_location

    tool = tools.CLITool()
    data_location.DataLocationArgumentsHelper.ParseOptions(
        argparse.Namespace(data_location=None), tool
    )
    # pylint: disable=protected-access
    if not tool._data_location:
        raise RuntimeError("Plaso does not find its own data files")

    return tool._data_location


def _GetRemedy(name):
    """Determines what to do about something that is missing.

    Args:
      name (str): name of the check.

    Returns:
      str: what to do.
    """
    if integration.IsDisabled():
        return f"unset {integration.DISABLE_VARIABLE:s}"

    pip = f"{sys.executable:s} -m pip install"
    if name in hooks.problems:
        return (
            f"{pip:s} --upgrade plaso plaso-atop, what this Plaso lacks: "
            f"{hooks.problems[name]:s}"
        )

    # For the Python that has Plaso, whatever pip is found first.
    return f"{pip:s} --force-reinstall --no-deps plaso-atop"


def _GetText(value):
    """Makes text of a log safe for a terminal.

    Args:
      value (bytes|str): text, UTF-8 where it is bytes.

    Returns:
      str: text in which what cannot be shown is written as a hexadecimal number.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="backslashreplace")

    characters = []
    for character in value:
        if character != " " and not character.isprintable():
            code_point = ord(character)
            if code_point < 256:
                character = f"\\x{code_point:02x}"
            else:
                character = f"\\u{code_point:04x}"

        characters.append(character)

    return "".join(characters)


def _PrintLog(path):
    """Prints what an atop raw log contains.

    Args:
      path (str): path of the log.

    Raises:
      FormatError: if the file is not an atop raw log or cannot be read.
      OSError: if the file cannot be opened.
    """
    from plaso_atop import rawlog

    with open(path, "rb") as file_object:
        log = rawlog.RawLog(file_object)

        times = []
        number_of_runs = 0
        for sample in log.samples():
            times.append(sample.curtime)
            number_of_runs += sample.is_boot

        values = [
            ("Host name", _GetText(log.hostname)),
            ("Version of atop", log.version),
            ("Machine type", f"{_GetText(log.machine):s}, {log.abi.name:s}"),
            ("Kernel", _GetText(log.kernel_release)),
            ("Clock ticks", f"{log.hertz or 'not valid'!s} per second"),
            ("Page size", f"{log.page_size or 'not valid'!s} bytes"),
            ("Starts of atop", f"{number_of_runs:d}"),
            ("Samples", f"{len(times):d}"),
        ]
        if times:
            # The clock may have been set back in between.
            values.append(("Earliest sample", _FormatTime(min(times))))
            values.append(("Latest sample", _FormatTime(max(times))))

        if log.unsupported_sizes:
            values.append(("Not supported", _GetText(log.unsupported_sizes)))

        values.append(("Damages", f"{log.number_of_damages:d}"))
        values.extend(
            (
                "Damage",
                f"at offset {damage.offset:d}, {damage.size:d} bytes: "
                f"{_GetText(damage.reason):s}",
            )
            for damage in log.damages
        )

    print(_GetText(path))
    for name, value in values:
        print(f"  {name + ':':<17s}{value:s}")


def Check():
    """Checks that the installed Plaso sees everything this package brings.

    Returns:
      bool: True if it does.
    """
    print(f"plaso-atop {__version__:s}: {os.path.dirname(__file__):s}")

    try:
        import plaso
    except ImportError as exception:
        print(f"Plaso is missing: {exception!s}")
        print(f"  to do: {sys.executable:s} -m pip install plaso")
        return False

    print(f"Plaso {plaso.__version__:s}: {os.path.dirname(plaso.__file__):s}")

    if integration.IsDisabled():
        value = os.environ[integration.DISABLE_VARIABLE]
        print(f"disabled: {integration.DISABLE_VARIABLE:s}={_GetText(value):s} is set")

    is_complete = True
    for name, function in _CHECKS:
        try:
            print(f"{name + ':':<13s}ok, {function():s}")
        # A Plaso that does not fit fails in ways of its own.
        except Exception as exception:  # pylint: disable=broad-except
            is_complete = False
            print(f"{name + ':':<13s}MISSING, {exception!s}")
            print(f"{'':<13s}to do: {_GetRemedy(name):s}")

    return is_complete


def Info(paths):
    """Shows what atop raw logs contain, without Plaso.

    Args:
      paths (list[str]): paths of the logs.

    Returns:
      bool: True if all of them could be read.
    """
    from plaso_atop import rawlog

    is_complete = True
    for path in paths:
        try:
            _PrintLog(path)
        except (OSError, rawlog.FormatError) as exception:
            is_complete = False
            reason = getattr(exception, "strerror", None) or f"{exception!s}"
            print(f"{_GetText(path):s}: {_GetText(reason):s}", file=sys.stderr)

    return is_complete


def Main():
    """Entry point of console script.

    Returns:
      int: exit code that is provided to sys.exit().
    """
    argument_parser = argparse.ArgumentParser(
        prog="plaso-atop", description="Checks the installation, looks at atop logs."
    )
    argument_parser.add_argument(
        "-V", "--version", action="version", version=f"plaso-atop {__version__:s}"
    )
    subparsers = argument_parser.add_subparsers(dest="command", required=True)
    subparsers.add_parser(
        "check", help="tell whether the installed Plaso sees all that this package adds"
    )
    info_parser = subparsers.add_parser(
        "info", help="show what atop raw logs contain, without Plaso"
    )
    info_parser.add_argument("paths", nargs="+", metavar="FILE", help="atop raw log")
    options = argument_parser.parse_args()

    for stream in (sys.stdout, sys.stderr):
        # A terminal may be unable to show what is printable.
        stream.reconfigure(errors="backslashreplace")

    try:
        if options.command == "check":
            is_complete = Check()
        else:
            is_complete = Info(options.paths)

        sys.stdout.flush()

    # What reads the output, such as head, is gone.
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1

    return 0 if is_complete else 1


if __name__ == "__main__":
    sys.exit(Main())
