"""Command that finds the samples that no log holds any more."""

import datetime
import hashlib
import json
import os
import stat
import sys

import tqdm

from dfvfs.helpers import source_scanner
from dfvfs.lib import definitions
from dfvfs.resolver import resolver

from plaso_atop import carver
from plaso_atop import compressed
from plaso_atop import rawlog
from plaso_atop import text
from plaso_atop.commands import file_types

# Beyond this what was found so far is written before the search goes on.
_MAXIMUM_RANGES = 10000

_MAGICS = (rawlog.MAGIC_BIG_ENDIAN, rawlog.MAGIC_LITTLE_ENDIAN)


class CarveError(Exception):
    """Raised when nothing can be carved."""


class _Source:
    """What is searched.

    Attributes:
      file_systems (list[dfvfs.PathSpec]): file systems.
      medium (dfvfs.PathSpec): medium in an image, else the file itself.
      problems (list[str]): what cannot be read.
      volumes (dict[str, dfvfs.PathSpec]): logical volumes per name. Their parts may be
          anywhere on the medium.
    """

    def __init__(self, path):
        """Determines what is in a source.

        Args:
          path (str): path of an image, a block device or any file.

        Raises:
          CarveError: if the source cannot be read.
        """
        super().__init__()
        self.file_systems = []
        self.medium = None
        self.problems = []
        self.volumes = {}

        try:
            # A FIFO waits for a writer, and a character device has no end.
            mode = os.stat(path).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode) or stat.S_ISDIR(mode)):
                raise CarveError(f"{file_types.GetName(mode):s}, not read")

            # dfVFS says less of what is wrong, with a directory as well.
            with open(path, "rb") as file_object:
                file_object.read(1)
        except OSError as exception:
            raise CarveError(f"{exception.strerror!s}") from exception

        context = source_scanner.SourceScannerContext()
        context.OpenSourcePath(os.path.abspath(path))
        # Each back-end has errors of its own. What was found before is searched.
        try:
            source_scanner.SourceScanner().Scan(context)
        except Exception as exception:  # pylint: disable=broad-except
            self.problems.append(f"volumes not found: {exception!s}")

        for path_spec in context.locked_scan_nodes:
            self.problems.append(f"encrypted volume: {path_spec.type_indicator:s}")
        self._AddNode(context.GetRootScanNode(), "")

    def _AddNode(self, node, name):
        """Adds a node, and those below it.

        Args:
          node (dfvfs.SourceScanNode): node.
          name (str): name of the volume in which it is.
        """
        type_indicator = node.type_indicator
        if node.IsSystemLevel() or (
            type_indicator in definitions.STORAGE_MEDIA_IMAGE_TYPE_INDICATORS
        ):
            self.medium = node.path_spec
        elif node.IsFileSystem():
            self.file_systems.append(node.path_spec)
        elif node.IsVolumeSystem() and not node.IsVolumeSystemRoot():
            name += getattr(node.path_spec, "location", None) or "/"
            if type_indicator == definitions.TYPE_INDICATOR_LVM:
                self.volumes[name] = node.path_spec

        for sub_node in node.sub_nodes:
            self._AddNode(sub_node, name)

    def _GetFileEntries(self):
        """Retrieves what the file systems hold.

        Yields:
          dfvfs.FileEntry|Exception: file, directory or other entry; or the error of one
              that cannot be read.
        """
        for path_spec in self.file_systems:
            try:
                file_system = resolver.Resolver.OpenFileSystem(path_spec)
                iterators = [iter([file_system.GetRootFileEntry()])]
            except Exception as exception:  # pylint: disable=broad-except
                yield exception
                continue

            while iterators:
                try:
                    file_entry = next(iterators[-1], None)
                    if not file_entry:
                        iterators.pop()
                        continue
                    if file_entry.IsDirectory():
                        iterators.append(iter(file_entry.sub_file_entries))
                    yield file_entry
                except Exception as exception:  # pylint: disable=broad-except
                    iterators.pop()
                    yield exception

    def GetLogs(self):
        """Retrieves the logs in the file systems: all files with their signature.

        Yields:
          file|Exception|None: file-like object of a log, None for another file, or the
              error of what cannot be read.
        """
        for file_entry in self._GetFileEntries():
            if isinstance(file_entry, Exception):
                yield file_entry
                continue
            if not file_entry.IsFile() or (file_entry.size or 0) < 64:
                yield None
                continue

            try:
                file_object = file_entry.GetFileObject()
                data = file_object.read(6)
                compression = compressed.GetCompression(data)
                if compression and compression != compressed.ZSTD:
                    data = next(compressed.Decompress(file_object, compression), b"")
                    if data.startswith(_MAGICS):
                        file_object, _ = compressed.Open(file_object, compression)
                yield file_object if data.startswith(_MAGICS) else None
            except compressed.DecompressionError:
                yield None
            except Exception as exception:  # pylint: disable=broad-except
                yield exception


class _LogWriter:
    """Writes logs, and beside each where it comes from.

    A file has its name only when it is complete.

    Attributes:
      number_of_logs (int): number of logs.
      number_of_samples (int): number of samples.
    """

    def __init__(self, directory):
        """Initializes a writer.

        Args:
          directory (str): path of the directory, which has to be empty or missing.

        Raises:
          CarveError: if the directory cannot be used.
        """
        super().__init__()
        self._directory = directory
        self.number_of_logs = 0
        self.number_of_samples = 0

        try:
            os.makedirs(directory, exist_ok=True)
            if os.listdir(directory):
                raise CarveError("output directory is not empty")
        except OSError as exception:
            raise CarveError(f"output directory: {exception.strerror!s}") from exception

    def _WriteParts(self, log, name, log_file, lines_file):
        """Writes the contents of a log and where they come from.

        Args:
          log (carver.Log): log.
          name (str): name of the log.
          log_file (file): file of the log.
          lines_file (file): file of the lines.
        """
        log_offset = 0
        for part in log.GetParts():
            digest = hashlib.sha256()
            for data in part.data:
                digest.update(data)
                log_file.write(data)

            values = {
                "log": name,
                "log_offset": log_offset,
                "part": "header" if part.curtime is None else "sample",
                "volume": part.stream and part.stream.name,
                "offset": part.offset,
                "size": part.size,
                "time": part.curtime and _FormatTime(part.curtime, "T", "Z"),
                "sha256": digest.hexdigest(),
            }
            lines_file.write(json.dumps(values) + "\n")
            log_offset += part.size

    def Write(self, log):
        """Writes a log.

        Args:
          log (carver.Log): log.
        """
        name = f"carved-{self.number_of_logs + 1:04d}.raw"
        log_path = os.path.join(self._directory, name)
        lines_path = os.path.join(self._directory, f"{name[:-4]:s}.jsonl")
        paths = [lines_path, log_path]
        try:
            with (
                open(f"{log_path:s}.part", "xb") as log_file,
                open(f"{lines_path:s}.part", "x", encoding="ascii") as lines_file,
            ):
                self._WriteParts(log, name, log_file, lines_file)
            for path in paths:
                os.replace(f"{path:s}.part", path)
        except BaseException:
            for path in paths:
                if os.path.exists(f"{path:s}.part"):
                    os.remove(f"{path:s}.part")
            raise

        self.number_of_logs += 1
        self.number_of_samples += log.number_of_samples

        origin = "header lost, host not known"
        if log.header:
            origin = (
                f"host {text.Escape(log.header.hostname) or 'not known':s}, "
                f"atop {log.header.version or 'not known':s}"
            )
        start_time = min(piece.first_curtime for piece in log.pieces)
        end_time = max(piece.last_curtime for piece in log.pieces)
        print(
            f"{name:s}: {origin:s}, {_FormatTime(start_time):s} to "
            f"{_FormatTime(end_time):s} UTC, samples: {log.number_of_samples:d}, "
            f"pieces: {len(log.pieces):d}",
            flush=True,
        )


class _Command:
    """Searches a source."""

    _MAXIMUM_WARNINGS = 100

    def __init__(self, path, writer):
        """Initializes a command.

        Args:
          path (str): path of the source.
          writer (_LogWriter): writer.
        """
        super().__init__()
        self._carver = carver.Carver()
        self._number_of_warnings = 0
        self._path = path
        self._pieces = []
        self._writer = writer

    @property
    def is_complete(self):
        """bool: True if there was no warning."""
        return not self._number_of_warnings

    def _SkipLogs(self, source):
        """Searches the logs in the file systems, so that their samples are left out.

        Args:
          source (_Source): source.
        """
        progress = tqdm.tqdm(desc="files", unit="", disable=None, leave=False)
        with progress:
            for log_file in source.GetLogs():
                progress.update()
                if isinstance(log_file, Exception):
                    self.Warn(f"file system not read in full: {log_file!s}")
                elif log_file:
                    for _ in self._carver.Find(carver.Stream(None, log_file)):
                        pass

    def _Search(self, name, path_spec):
        """Searches a medium or volume.

        Args:
          name (str): name, None for the medium.
          path_spec (dfvfs.PathSpec): path specification.
        """
        label = f"volume {name:s}: " if name else ""
        try:
            file_object = resolver.Resolver.OpenFileObject(path_spec)
            stream = carver.Stream(name, file_object)
        except Exception as exception:  # pylint: disable=broad-except
            self.Warn(f"{label:s}not read: {exception!s}")
            return

        number_of_ranges = 0
        progress = tqdm.tqdm(
            desc=name or "medium",
            disable=None,
            leave=False,
            total=stream.file.size,
            unit="B",
            unit_scale=True,
        )
        try:
            with progress:
                for piece in self._carver.Find(stream):
                    progress.update(stream.position - progress.n)
                    if piece:
                        self._pieces.append(piece)
                        number_of_ranges += max(len(piece.ranges), 1)
                    if number_of_ranges >= _MAXIMUM_RANGES:
                        self._Write()
                        number_of_ranges = 0
        except KeyboardInterrupt:
            self.Warn(f"{label:s}interrupted at offset: 0x{stream.position:08x}")
            raise
        finally:
            for offset, size in stream.file.GetUnreadable():
                self.Warn(
                    f"{label:s}unreadable at offset: 0x{offset:08x} of size: {size:d}"
                )
            if not stream.is_searched:
                self.Warn(f"{label:s}not searched in full, too much looks like samples")

    def _Write(self):
        """Writes the logs that were found."""
        pieces, self._pieces = self._pieces, []
        for log in carver.GetLogs(pieces):
            self._writer.Write(log)

    def Run(self, source, with_logs):
        """Searches the source and writes what is found, also when it is interrupted.

        Args:
          source (_Source): source.
          with_logs (bool): True if what logs in the file systems hold is written, too.
        """
        for problem in source.problems:
            self.Warn(problem)

        try:
            if not with_logs:
                self._SkipLogs(source)
            self._Search(None, source.medium)
            for name, path_spec in source.volumes.items():
                self._Search(name, path_spec)
        finally:
            self._Write()
            if not self._carver.has_all_digests:
                self.Warn("too many samples, some may be here twice or in other logs")
            print(
                f"logs: {self._writer.number_of_logs:d}, "
                f"samples: {self._writer.number_of_samples:d}",
                flush=True,
            )
            if self._number_of_warnings > self._MAXIMUM_WARNINGS:
                number = self._number_of_warnings - self._MAXIMUM_WARNINGS
                _PrintProblem(self._path, f"{number:d} more warnings")

    def Warn(self, problem):
        """Prints what is wrong.

        Args:
          problem (str): what is wrong.
        """
        self._number_of_warnings += 1
        if self._number_of_warnings <= self._MAXIMUM_WARNINGS:
            _PrintProblem(self._path, problem)


def _FormatTime(seconds, separator=" ", suffix=""):
    """Formats a date and time.

    Args:
      seconds (int): seconds since January 1, 1970 00:00:00 UTC, before the year 10000.
      separator (Optional[str]): what stands between date and time.
      suffix (Optional[str]): what stands behind.

    Returns:
      str: date and time in UTC.
    """
    date_time = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return f"{date_time.isoformat(separator):s}{suffix:s}"


def _PrintProblem(path, problem):
    """Prints what is wrong.

    Args:
      path (str): path of the source.
      problem (str): what is wrong.
    """
    problem = text.Escape(problem.encode("utf-8", "backslashreplace"))
    path = text.Escape(os.fsencode(path))
    print(f"{path:s}: {problem:s}", file=sys.stderr, flush=True)


def Carve(path, directory, with_logs=False):
    """Finds samples and writes them as logs.

    Args:
      path (str): path of an image, a block device or any file, which is only read.
      directory (str): path of the directory for the logs.
      with_logs (Optional[bool]): True if what logs in the file systems hold is written,
          too.

    Returns:
      bool: True if all of the source could be searched.
    """
    try:
        source = _Source(path)
        command = _Command(path, _LogWriter(directory))
    except CarveError as exception:
        _PrintProblem(path, f"{exception!s}")
        return False

    command.Run(source, with_logs)
    return command.is_complete
