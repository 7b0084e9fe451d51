"""Data files of this package, which Plaso uses beside its own.

Plaso reads presets, message formatters, tagging rules and more from one data directory.
Each extension hands it ours when it has read its own, or finds ours by name. What Plaso
or the user defines under the same name wins.

This module is imported before Plaso is, hence must not import any of it at the top.
"""

# pylint: disable=import-outside-toplevel

import glob
import inspect
import json
import os

from plaso_atop.integration import hooks


def _ExtendFileOption(extension, helper_class, option):
    """Has an option that takes the name of a data file of Plaso take that of ours.

    Args:
      extension (str): name of the extension.
      helper_class (type): command line arguments helper.
      option (str): name of the option.

    Raises:
      TypeError: if the helper lacks what the extension relies on.
    """
    hooks.CheckMethod(helper_class, "ParseOptions", "options", "object")

    def ParseOptions(wrapped, unused_class, args, kwargs):
        with hooks.Guard(extension):
            options, configured = inspect.signature(wrapped).bind(*args, **kwargs).args
            path = _FindFile(
                getattr(options, option, None),
                getattr(options, "data_location", None)
                or getattr(configured, "data_location", None),
            )
            if path:
                setattr(options, option, path)

        return wrapped(*args, **kwargs)

    hooks.Wrap(helper_class, "ParseOptions", ParseOptions)


def _FindFile(name, plaso_data_location):
    """Finds a data file of ours by its name.

    Args:
      name (str): what the user gave, the path of a file or the name of a data file,
          None if not set.
      plaso_data_location (str): path of the data directory that Plaso uses, None if not
          set.

    Returns:
      str: path of our file, None if we have none of that name or Plaso finds another.
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


def ExtendArtifactDefinitions(module):
    """Has the artifact definitions know those of atop's files.

    Args:
      module (module): plaso.engine.engine.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    engine_class = module.BaseEngine
    hooks.CheckMethod(engine_class, "BuildArtifactsRegistry", "artifacts", None)

    path = os.path.join(GetDataLocation(), "artifacts.yaml")

    def BuildArtifactsRegistry(wrapped, engine, args, kwargs):
        result = wrapped(*args, **kwargs)

        with hooks.Guard(hooks.ARTIFACTS):
            from artifacts import reader

            registry = engine._artifacts_registry  # pylint: disable=protected-access
            for definition in reader.YamlArtifactsReader().ReadFile(path):
                if not registry.GetDefinitionByName(definition.name):
                    registry.RegisterDefinition(definition)

        return result

    hooks.Wrap(engine_class, "BuildArtifactsRegistry", BuildArtifactsRegistry)


def ExtendFileFilter(module):
    """Has the file filter option take the name of our filter file.

    Args:
      module (module): plaso.cli.helpers.filter_file.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    _ExtendFileOption(
        hooks.FILE_FILTER, module.FilterFileArgumentsHelper, "file_filter"
    )


def ExtendIndexMappings(module):
    """Has the indexes of OpenSearch know the types of our attributes.

    Args:
      module (module): plaso.output.shared_opensearch.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    module_class = module.SharedOpenSearchOutputModule
    hooks.CheckMethod(module_class, "SetMappings", {})

    path = os.path.join(GetDataLocation(), "opensearch.mappings")

    def SetMappings(wrapped, unused_module, args, kwargs):
        with hooks.Guard(hooks.INDEX_MAPPINGS):
            (mappings,) = inspect.signature(wrapped).bind(*args, **kwargs).args
            with open(path, "r", encoding="utf-8") as file_object:
                properties = json.load(file_object)["properties"]

            properties.update(mappings.get("properties", {}))
            args, kwargs = ({**mappings, "properties": properties},), {}

        return wrapped(*args, **kwargs)

    hooks.Wrap(module_class, "SetMappings", SetMappings)


def ExtendMessages(module):
    """Has the output know the message formatters of the atop events.

    Args:
      module (module): plaso.output.mediator.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    mediator_class = module.OutputMediator
    hooks.CheckMethod(
        mediator_class, "ReadMessageFormattersFromDirectory", "formatters"
    )
    hooks.CheckMethod(
        mediator_class,
        "ReadMessageFormattersFromFile",
        "atop.yaml",
        override_existing=True,
    )

    own_directory = os.path.join(GetDataLocation(), "formatters")

    def ReadMessageFormattersFromDirectory(wrapped, mediator, args, kwargs):
        result = wrapped(*args, **kwargs)

        with hooks.Guard(hooks.MESSAGES):
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

    hooks.Wrap(
        mediator_class,
        "ReadMessageFormattersFromDirectory",
        ReadMessageFormattersFromDirectory,
    )


def ExtendPresets(module):
    """Has the presets name the atop plugins.

    Args:
      module (module): plaso.parsers.presets.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    presets_manager_class = module.ParserPresetsManager
    hooks.CheckMethod(presets_manager_class, "GetNames")
    hooks.CheckMethod(presets_manager_class, "GetPresetByName", "linux")
    hooks.CheckMethod(presets_manager_class, "ReadFromFile", "presets.yaml")

    original_method = presets_manager_class.ReadFromFile
    path = os.path.join(GetDataLocation(), "presets.yaml")

    def ReadFromFile(wrapped, presets_manager, args, kwargs):
        result = wrapped(*args, **kwargs)

        # A preset with a parser that Plaso does not know keeps it from running at all.
        if hooks.PARSER not in hooks.problems:
            with hooks.Guard(hooks.PRESET):
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

    hooks.Wrap(presets_manager_class, "ReadFromFile", ReadFromFile)


def ExtendTaggingFileOption(module):
    """Has the tagging file option take the name of our tagging file.

    Args:
      module (module): plaso.cli.helpers.tagging_analysis.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    _ExtendFileOption(
        hooks.TAGGING, module.TaggingAnalysisArgumentsHelper, "tagging_file"
    )


def ExtendTaggingRules(module):
    """Has the tagging rules of Linux contain those of the atop events.

    Args:
      module (module): plaso.engine.tagging_file.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    file_class = module.TaggingFile
    hooks.CheckMethod(file_class, "__init__", "tag_linux.txt")
    hooks.CheckMethod(file_class, "GetEventTaggingRules")

    path = os.path.join(GetDataLocation(), "tag_atop.txt")

    def GetEventTaggingRules(wrapped, tagging_file, args, kwargs):
        rules = wrapped(*args, **kwargs)

        with hooks.Guard(hooks.TAGGING):
            # pylint: disable=protected-access
            if os.path.basename(tagging_file._path) == "tag_linux.txt":
                own_rules = file_class(path).GetEventTaggingRules()
                # A label of both has the rules of both.
                rules = {
                    label: [*rules.get(label, ()), *own_rules.get(label, ())]
                    for label in (*rules, *own_rules)
                }

        return rules

    hooks.Wrap(file_class, "GetEventTaggingRules", GetEventTaggingRules)


def ExtendTimeliner(module):
    """Has the timeliner know the dates and times of the atop events.

    Args:
      module (module): plaso.engine.yaml_timeliner_file.

    Raises:
      AttributeError: if the module lacks what the extension relies on.
      TypeError: if the module lacks what the extension relies on.
    """
    file_class = module.YAMLTimelinerConfigurationFile
    hooks.CheckMethod(file_class, "ReadFromFile", "timeliner.yaml")

    path = os.path.join(GetDataLocation(), "timeliner.yaml")

    def ReadFromFile(wrapped, unused_file, args, kwargs):
        data_types = set()
        for definition in wrapped(*args, **kwargs):
            # The timeliner refuses a data type that is defined twice.
            data_types.add(getattr(definition, "data_type", None))
            yield definition

        definitions = []
        with hooks.Guard(hooks.TIMELINER):
            definitions.extend(
                definition
                for definition in wrapped(path)
                if definition.data_type not in data_types
            )

        yield from definitions

    hooks.Wrap(file_class, "ReadFromFile", ReadFromFile)


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
