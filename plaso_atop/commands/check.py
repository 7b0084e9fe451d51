"""Command that checks that the installed Plaso sees this package."""

# Modules of Plaso are imported by what needs them: Plaso may be missing.
# pylint: disable=import-outside-toplevel

import argparse
import os
import shlex
import site
import sys
import textwrap

import plaso_atop
from plaso_atop import integration
from plaso_atop import text
from plaso_atop.integration import compressed_streams
from plaso_atop.integration import data_files
from plaso_atop.integration import hooks
from plaso_atop.integration import user_names

_PTH_FILE = "plaso_atop.pth"

_INDENTATION = 13
_WIDTH = 80


def _CheckAnalysis():
    """Checks that Plaso has the analysis plugins.

    Returns:
      str: what was found.

    Raises:
      RuntimeError: if something is missing.
    """
    from plaso import analysis as _
    from plaso.analysis import manager

    names = [
        name
        for name, plugin_class in manager.AnalysisPluginManager.GetPlugins()
        if plugin_class.__module__.startswith("plaso_atop.")
    ]
    if not names:
        raise RuntimeError("psort has no analysis of atop")

    return ", ".join(names)


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
    # pylint: disable=no-member,protected-access
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


def _CheckCompression():
    """Checks that dfVFS reads large compressed files.

    Returns:
      str: what was found.

    Raises:
      RuntimeError: if something is missing.
    """
    from dfvfs.file_io import compressed_stream_io

    method = getattr(
        compressed_stream_io.CompressedStream, compressed_streams.METHOD, None
    )
    if method and not hasattr(method, "__wrapped__"):
        raise RuntimeError("large logs in bzip2 or xz are not recognized")

    return "large logs in bzip2 and xz"


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
    return tool._filter_file  # pylint: disable=no-member,protected-access


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
    """Checks that Plaso finds the tagging file by its name and adds it to that of
    Linux.

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
    (hooks.ANALYSIS, _CheckAnalysis),
    (hooks.INDEX_MAPPINGS, _CheckIndexMappings),
    (hooks.ARTIFACTS, _CheckArtifacts),
    (hooks.FILE_FILTER, _CheckFileFilter),
    (hooks.COMPRESSION, _CheckCompression),
)


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
      list[str]: arguments of pip install.
    """
    if name in hooks.problems:
        return ["--upgrade", "plaso", "plaso-atop"]
    return ["--force-reinstall", "--no-deps", "plaso-atop"]


def _Print(label, value):
    """Prints a line, or several ones in the width of a terminal.

    A longer word, such as a path, stays whole: it can be copied.

    Args:
      label (str): label of the value, empty for a continuation.
      value (str): value.
    """
    print(
        textwrap.fill(
            value,
            width=_WIDTH,
            initial_indent=label.ljust(_INDENTATION),
            subsequent_indent=" " * _INDENTATION,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def _PrintRemedy(arguments):
    """Prints the command that installs the missing parts.

    Args:
      arguments (list[str]): arguments of pip install.
    """
    # For the Python that has Plaso, whatever pip is found first.
    line = "to do:"
    for word in (sys.executable, "-m", "pip", "install", *arguments):
        word = shlex.quote(word)
        # A shell takes the lines for one.
        if len(f"{line:s} {word:s} \\") > _WIDTH:
            print(f"{line:s} \\")
            line = " " * (_INDENTATION - 1)
        line = f"{line:s} {word:s}"

    print(line)


def Check():
    """Checks that the installed Plaso sees everything this package brings.

    Returns:
      bool: True if it does.
    """
    _Print(
        "plaso-atop:",
        f"{plaso_atop.__version__:s}, {os.path.dirname(plaso_atop.__file__):s}",
    )

    try:
        import plaso
    except ImportError as exception:
        _Print("Plaso:", f"MISSING, {exception!s}")
        _PrintRemedy(["plaso"])
        return False

    _Print("Plaso:", f"{plaso.__version__:s}, {os.path.dirname(plaso.__file__):s}")

    # Then all is missing, for one reason.
    if integration.IsDisabled():
        value = text.Escape(os.fsencode(os.environ[integration.DISABLE_VARIABLE]))
        _Print("disabled:", f"{integration.DISABLE_VARIABLE:s}={value:s} is set")
        print(f"to do: unset {integration.DISABLE_VARIABLE:s}")
        return False

    remedies = []
    for name, function in _CHECKS:
        try:
            _Print(f"{name:s}:", f"ok, {function():s}")
        # A Plaso that does not fit fails in ways of its own.
        except Exception as exception:  # pylint: disable=broad-except
            _Print(f"{name:s}:", f"MISSING, {exception!s}")
            if name in hooks.problems:
                _Print("", f"this Plaso lacks: {hooks.problems[name]:s}")

            remedy = _GetRemedy(name)
            if remedy not in remedies:
                remedies.append(remedy)

    for remedy in remedies:
        _PrintRemedy(remedy)

    return not remedies
