"""Data files of this package, which Plaso uses beside its own.

Plaso reads message formatters, tagging rules and more from one data directory. Each
extension adds our file when Plaso has read its own, or finds our file by name. What
Plaso or the user defines under the same name wins.

This module is imported before Plaso, hence imports none of it at the top.
"""

# pylint: disable=import-outside-toplevel

import glob
import json
import os

from plaso_atop.integration import hooks


def _FindFile(name, plaso_data_location):
    """Finds a data file of ours by its name.

    Args:
      name (str): what the user gave, the path of a file or the name of a data file,
          None if not set.
      plaso_data_location (str): path of the data directory that Plaso uses, None if not
          set.

    Returns:
      str: path of our file, None if we have no such file or Plaso finds another.
    """
    if not name or os.path.basename(name) != name or os.path.isfile(name):
        return None

    if plaso_data_location and os.path.isfile(os.path.join(plaso_data_location, name)):
        return None

    path = os.path.join(GetDataLocation(), name)
    return path if os.path.isfile(path) else None


def _GetYAMLFiles(directory):
    """Retrieves the YAML files of a directory.

    Args:
      directory (str): path of the directory.

    Returns:
      list[str]: paths of the files.
    """
    return sorted(glob.glob(os.path.join(glob.escape(directory), "*.yaml")))


def _SetFileOption(call, option):
    """Replaces the name of a data file of ours in an option with its path.

    Args:
      call (hooks.Call): call of ParseOptions of a command line arguments helper.
      option (str): name of the option.
    """
    options, configuration_object = call.arguments.args
    path = _FindFile(
        getattr(options, option, None),
        getattr(options, "data_location", None)
        or getattr(configuration_object, "data_location", None),
    )
    if path:
        setattr(options, option, path)


@hooks.Extends(
    hooks.ARTIFACTS,
    "plaso.engine.engine.BaseEngine",
    hooks.Method("BuildArtifactsRegistry", "artifacts", None),
)
def ExtendArtifactDefinitions(call):
    """Adds the definitions of atop's files to the artifact definitions.

    Args:
      call (hooks.Call): call of the method.

    Yields:
      None: to get the result of the method.

    Returns:
      object: result of the method.
    """
    result = yield

    from artifacts import reader

    registry = call.object._artifacts_registry  # pylint: disable=protected-access
    path = os.path.join(GetDataLocation(), "artifacts.yaml")
    for definition in reader.YamlArtifactsReader().ReadFile(path):
        if not registry.GetDefinitionByName(definition.name):
            registry.RegisterDefinition(definition)

    return result


@hooks.Extends(
    hooks.FILE_FILTER,
    "plaso.cli.helpers.filter_file.FilterFileArgumentsHelper",
    hooks.Method("ParseOptions", "options", "object"),
)
def ExtendFileFilter(call):
    """Finds our filter file by its name.

    Args:
      call (hooks.Call): call of the method.

    Yields:
      None: to get the result of the method.

    Returns:
      object: result of the method.
    """
    _SetFileOption(call, "file_filter")
    return (yield)


@hooks.Extends(
    hooks.INDEX_MAPPINGS,
    "plaso.output.shared_opensearch.SharedOpenSearchOutputModule",
    hooks.Method("SetMappings", mappings={}),
)
def ExtendIndexMappings(call):
    """Adds the types of our attributes to the mappings of an OpenSearch index.

    Args:
      call (hooks.Call): call of the method.

    Yields:
      None: to get the result of the method.

    Returns:
      object: result of the method.
    """
    path = os.path.join(GetDataLocation(), "opensearch.mappings")
    with open(path, "r", encoding="utf-8") as file_object:
        properties = json.load(file_object)["properties"]

    mappings = call.arguments.arguments["mappings"]
    properties.update(mappings.get("properties", {}))
    call.arguments.arguments["mappings"] = {**mappings, "properties": properties}
    return (yield)


@hooks.Extends(
    hooks.MESSAGES,
    "plaso.output.mediator.OutputMediator",
    hooks.Method("ReadMessageFormattersFromDirectory", "formatters"),
    hooks.Method("ReadMessageFormattersFromFile", "atop.yaml", override_existing=True),
)
def ExtendMessages(call):
    """Adds the message formatters of the atop events.

    Args:
      call (hooks.Call): call of the method.

    Yields:
      None: to get the result of the method.

    Returns:
      object: result of the method.
    """
    result = yield

    mediator = call.object
    own_paths = _GetYAMLFiles(os.path.join(GetDataLocation(), "formatters"))
    try:
        for path in own_paths:
            mediator.ReadMessageFormattersFromFile(path)

    except KeyError:
        # The directory defines some of our data types itself and shall win: read all of
        # our files, then all of the directory once more.
        for path in own_paths + _GetYAMLFiles(call.arguments.args[0]):
            mediator.ReadMessageFormattersFromFile(path, override_existing=True)

    return result


@hooks.Extends(
    hooks.PRESET,
    "plaso.parsers.presets.ParserPresetsManager",
    hooks.Method("ReadFromFile", "presets.yaml"),
    hooks.Method("GetPresetByName", "linux"),
)
def ExtendPresets(call):
    """Adds the default plugins of the atop parser to the preset of Linux.

    Args:
      call (hooks.Call): call of the method.

    Yields:
      None: to get the result of the method.

    Returns:
      object: result of the method.
    """
    result = yield

    # A preset with a parser that Plaso does not know keeps it from running at all.
    if hooks.PARSER not in hooks.problems:
        from plaso_atop import parser

        preset = call.object.GetPresetByName("linux")
        # A preset with "atop" has all plugins already.
        if preset and "atop" not in preset.parsers:
            names = [f"atop/{name:s}" for name in parser.AtopParser.GetPluginNames()]
            preset.parsers.extend(name for name in names if name not in preset.parsers)

    return result


@hooks.Extends(
    hooks.TAGGING,
    "plaso.cli.helpers.tagging_analysis.TaggingAnalysisArgumentsHelper",
    hooks.Method("ParseOptions", "options", "object"),
)
def ExtendTaggingFileOption(call):
    """Finds our tagging file by its name.

    Args:
      call (hooks.Call): call of the method.

    Yields:
      None: to get the result of the method.

    Returns:
      object: result of the method.
    """
    _SetFileOption(call, "tagging_file")
    return (yield)


@hooks.Extends(
    hooks.TAGGING,
    "plaso.engine.tagging_file.TaggingFile",
    hooks.Method("GetEventTaggingRules"),
    hooks.Method("__init__", "tag_linux.txt"),
)
def ExtendTaggingRules(call):
    """Adds the tagging rules of the atop events to those of Linux.

    Args:
      call (hooks.Call): call of the method.

    Yields:
      None: to get the result of the method.

    Returns:
      dict[str, list[EventObjectFilter]]: tagging rules per label.
    """
    rules = yield

    # pylint: disable=protected-access
    if os.path.basename(call.object._path) == "tag_linux.txt":
        path = os.path.join(GetDataLocation(), "tag_atop.txt")
        own_rules = call.object.__class__(path).GetEventTaggingRules()
        # A label that both define gets the rules of both.
        rules = {
            label: [*rules.get(label, ()), *own_rules.get(label, ())]
            for label in (*rules, *own_rules)
        }

    return rules


@hooks.Extends(
    hooks.TIMELINER,
    "plaso.engine.yaml_timeliner_file.YAMLTimelinerConfigurationFile",
    hooks.Method("ReadFromFile", "timeliner.yaml"),
)
def ExtendTimeliner(call):
    """Adds the dates and times of the atop events to those that the timeliner knows.

    Args:
      call (hooks.Call): call of the method.

    Yields:
      None: to get the result of the method.

    Returns:
      generator[TimelinerDefinition]: timeliner definitions.
    """
    definitions = yield

    def ReadDefinitions():
        data_types = set()
        for definition in definitions:
            # The timeliner refuses a data type that is defined twice.
            data_types.add(getattr(definition, "data_type", None))
            yield definition

        own_definitions = []
        # This part runs after the extension has returned.
        with hooks.Guard(hooks.TIMELINER):
            path = os.path.join(GetDataLocation(), "timeliner.yaml")
            own_definitions.extend(
                definition
                for definition in call.method(path)
                if definition.data_type not in data_types
            )

        yield from own_definitions

    return ReadDefinitions()


def GetDataLocation():
    """Retrieves the location of the data files.

    Returns:
      str: path of the directory.
    """
    package_path = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = os.path.join(package_path, "data")
    if not os.path.isdir(path):
        # In the source tree the directory stands beside the package, as in Plaso's.
        path = os.path.join(os.path.dirname(package_path), "data")

    return path
