"""Parser for atop raw logs."""

from plaso.lib import errors
from plaso.lib import specification
from plaso.parsers import interface
from plaso.parsers import manager

from plaso_atop import compatibility
from plaso_atop import compressed_files
from plaso_atop import layouts
from plaso_atop import rawlog


class AtopParser(interface.FileObjectParser):
    """Parser for atop raw logs."""

    NAME = "atop"
    DATA_FORMAT = "atop raw log file"

    _plugin_classes = {}

    @classmethod
    def GetFormatSpecification(cls):
        """Retrieves the format specification.

        Returns:
          FormatSpecification: format specification.
        """
        format_specification = specification.FormatSpecification(cls.NAME)
        format_specification.AddNewSignature(rawlog.MAGIC_LITTLE_ENDIAN, offset=0)
        format_specification.AddNewSignature(rawlog.MAGIC_BIG_ENDIAN, offset=0)
        return format_specification

    @classmethod
    def GetPluginNames(cls):
        """Retrieves the names of the plugins that run by default.

        Plaso runs these if the user names no parsers and Plaso detects no operating
        system. The preset of Linux has the same plugins. GetPlugins retrieves all
        plugins.

        Returns:
          list[str]: names of the plugins in alphabetical order.
        """
        return sorted(
            name
            for name, plugin_class in cls._plugin_classes.items()
            if plugin_class.IS_DEFAULT
        )

    def _ProcessWithPlugins(self, parser_mediator, plugins, method_name, *arguments):
        """Calls a method of plugins.

        A plugin that fails is left out from then on. The others go on.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          plugins (list[AtopPlugin]): plugins, from which those that fail are removed.
          method_name (str): name of the method.
          arguments (tuple[object]): arguments of the method after the parser mediator.
        """
        for plugin in list(plugins):
            parser_mediator.AppendToParserChain(plugin.NAME)
            parser_chain = parser_mediator.GetParserChain()
            parser_mediator.SampleStartTiming(parser_chain)

            try:
                getattr(plugin, method_name)(parser_mediator, *arguments)

            except Exception as exception:  # pylint: disable=broad-except
                plugins.remove(plugin)
                compatibility.ProduceWarning(
                    parser_mediator,
                    f"plugin: {plugin.NAME:s} unable to parse atop raw log with error: "
                    f"{exception!s}",
                )
            finally:
                parser_mediator.SampleStopTiming(parser_chain)
                parser_mediator.PopFromParserChain()

    def _ProduceDamageWarnings(self, parser_mediator, log, number_of_warnings):
        """Produces a warning for each damage that was found since the last call.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          log (rawlog.RawLog): log.
          number_of_warnings (int): number of damages for which there is a warning.

        Returns:
          int: number of damages for which there is a warning now.
        """
        for damage in log.damages[number_of_warnings:]:
            compatibility.ProduceWarning(
                parser_mediator,
                f"{damage.reason:s} at offset: 0x{damage.offset:08x} of size: "
                f"{damage.size:d}",
            )
        return len(log.damages)

    def ParseFileObject(self, parser_mediator, file_object):
        """Parses an atop raw log file-like object.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          file_object (dfvfs.FileIO): a file-like object.

        Raises:
          WrongParser: when the file cannot be parsed.
        """
        try:
            log = rawlog.RawLog(
                compressed_files.GetFileObject(parser_mediator, file_object)
            )

        except rawlog.UnsupportedError as exception:
            compatibility.ProduceWarning(parser_mediator, f"{exception!s}")
            return

        except rawlog.FormatError as exception:
            raise errors.WrongParser(f"{exception!s}")

        if log.unsupported_sizes:
            compatibility.ProduceWarning(
                parser_mediator,
                f"Unsupported layout, what depends on it is left out: "
                f"{log.unsupported_sizes:s}",
            )

        if log.assumed_version:
            sizes = ""
            if log.version in layouts.VERSIONS:
                sizes = " with the sizes of another"
            compatibility.ProduceWarning(
                parser_mediator,
                f"atop version {log.version:s}{sizes:s} is not known, read as "
                f"{log.assumed_version:s}",
            )

        plugins = list(self._plugins_per_name.values())
        number_of_samples = 0
        number_of_warnings = 0

        self._ProcessWithPlugins(parser_mediator, plugins, "Start", log)

        for sample in log.samples():
            if parser_mediator.abort:
                break

            number_of_samples += 1
            self._ProcessWithPlugins(parser_mediator, plugins, "ProcessSample", sample)
            number_of_warnings = self._ProduceDamageWarnings(
                parser_mediator, log, number_of_warnings
            )

        self._ProcessWithPlugins(parser_mediator, plugins, "Finish")
        number_of_warnings = self._ProduceDamageWarnings(
            parser_mediator, log, number_of_warnings
        )

        if log.number_of_damages > number_of_warnings:
            compatibility.ProduceWarning(
                parser_mediator,
                f"{log.number_of_damages - number_of_warnings:d} more damaged parts, "
                f"all damaged parts are of size: {log.damaged_size:d}",
            )

        if log.number_of_omitted_exits:
            compatibility.ProduceWarning(
                parser_mediator,
                f"{log.number_of_omitted_exits:d} exits left out, more than atop "
                f"stores in a sample",
            )

        if log.number_of_omitted_pids:
            compatibility.ProduceWarning(
                parser_mediator,
                f"control groups of {log.number_of_omitted_pids:d} processes left out, "
                f"too many processes in control groups of a sample",
            )

        if not number_of_samples and not parser_mediator.abort:
            compatibility.ProduceWarning(parser_mediator, "atop raw log has no samples")


manager.ParsersManager.RegisterParser(AtopParser)

# The plugins register themselves with the parser.
import plaso_atop.plugins  # pylint: disable=unused-import,wrong-import-position
