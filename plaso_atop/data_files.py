"""Data files of this package, which Plaso uses beside its own.

Plaso reads its presets, timeliner configuration and message formatters from one data
directory. Each extension hands it ours when it has read its own.

This module is imported before Plaso is, hence must not import any of it at the top.
"""

import glob
import inspect
import os

from plaso_atop import hooks


def _GetYAMLFiles(directory):
    """Retrieves the YAML files of a directory.

    Args:
      directory (str): path of the directory.

    Returns:
      list[str]: paths of the files.
    """
    return sorted(glob.glob(os.path.join(glob.escape(directory), "*.yaml")))


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
    package_path = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(package_path, "data")
    if not os.path.isdir(path):
        # In the source tree the directory stands beside the package, as in Plaso's.
        path = os.path.join(os.path.dirname(package_path), "data")

    return path
