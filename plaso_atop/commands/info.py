"""Command that shows what atop raw logs hold, without Plaso."""

import collections
import datetime
import os
import stat
import sys

from plaso_atop import compressed
from plaso_atop import rawlog
from plaso_atop import runs
from plaso_atop import text
from plaso_atop.commands import file_types

_READ_SIZE = 64 * 1024

_SIGNATURES = (rawlog.MAGIC_BIG_ENDIAN, rawlog.MAGIC_LITTLE_ENDIAN)


class _NoLogError(Exception):
    """Raised when a file is no atop raw log, or cannot be recognized as one."""


class _Summary:
    """Summary of the samples of a log.

    Attributes:
      earliest_time (int): time of the earliest sample in seconds since the Epoch or
          None if no sample has a valid time. The clock may have been set back after it.
      gaps (list[runs.Gap]): first gaps, in the order of the file.
      intervals (tuple[int, int]): shortest and longest of the intervals of the runs of
          atop in seconds or None if no run has one.
      latest_time (int): time of the latest sample in seconds since the Epoch or None if
          no sample has a valid time.
      number_of_converted (collections.Counter): number of samples that atopconvert has
          written, per version that recorded them.
      number_of_gaps (int): number of gaps.
      number_of_samples (int): number of samples.
      number_of_samples_with_accounting (int): number of samples that have the exits of
          processes.
      number_of_starts (int): number of starts of atop.
    """

    def __init__(self, log):
        """Reads a log to its end.

        Args:
          log (rawlog.RawLog): log.
        """
        super().__init__()
        self._log_version = log.layout.version
        self.earliest_time = None
        self.gaps = []
        self.intervals = None
        self.latest_time = None
        self.number_of_converted = collections.Counter()
        self.number_of_gaps = 0
        self.number_of_samples = 0
        self.number_of_samples_with_accounting = 0
        self.number_of_starts = 0

        run_finder = runs.RunFinder(log)
        for sample in log.samples():
            self._AddSample(sample)
            self._AddFindings(run_finder.AddSample(sample))

        self._AddFindings(run_finder.Finish())
        self.gaps.sort(key=lambda gap: gap.offset)
        self.number_of_gaps = run_finder.number_of_gaps

    def _AddFindings(self, findings):
        """Adds runs and gaps.

        Args:
          findings (list[runs.Gap|runs.Run]): gaps and runs.
        """
        for finding in findings:
            if isinstance(finding, runs.Gap):
                self.gaps.append(finding)
            elif finding.interval is not None:
                intervals = [*(self.intervals or ()), finding.interval]
                self.intervals = (min(intervals), max(intervals))

    def _AddSample(self, sample):
        """Adds a sample.

        Args:
          sample (rawlog.Sample): sample.
        """
        if rawlog.IsValidTime(sample.curtime):
            if self.earliest_time is None:
                self.earliest_time = self.latest_time = sample.curtime
            self.earliest_time = min(self.earliest_time, sample.curtime)
            self.latest_time = max(self.latest_time, sample.curtime)

        if sample.version != self._log_version:
            self.number_of_converted[sample.version] += 1
        self.number_of_samples += 1
        self.number_of_samples_with_accounting += sample.has_accounting
        self.number_of_starts += sample.is_boot

        # Damage of these is found when they are read.
        collections.deque(sample.cgroups(), maxlen=0)


def _CheckContents(file_object):
    """Checks that a file holds more than zeros.

    Args:
      file_object (file): file-like object.

    Raises:
      OSError: if the file cannot be read.
      _NoLogError: if it holds nothing else.
    """
    # No more, if these are not all zeros: the rest may be on a bad sector.
    data = file_object.read(8)
    if not data:
        raise _NoLogError("empty")

    while data and not data.strip(b"\x00"):
        data = file_object.read(_READ_SIZE)
    if not data:
        raise _NoLogError("all zeros")


def _CheckDecompressed(file_object, compression):
    """Checks that the decompressed data of a file may be a log, or all zeros.

    Args:
      file_object (file): file-like object, at the start of the compressed data.
      compression (str): name of the format.

    Raises:
      _NoLogError: if it is neither.
    """
    start = b""
    try:
        for data in compressed.Decompress(file_object, compression):
            start = (start + data)[:4]
            if len(start) == 4:
                break
    except compressed.DecompressionError as exception:
        raise _NoLogError(
            f"nothing of the {compression:s} data can be read: {exception!s}"
        ) from exception

    if start not in _SIGNATURES and start.strip(b"\x00"):
        raise _NoLogError(f"{compression:s} data that is no atop raw log")


def _FormatGap(gap):
    """Formats a gap.

    Args:
      gap (runs.Gap): gap.

    Returns:
      str: times, duration and reason.
    """
    if gap.duration is not None:
        times = (
            f"{_FormatTime(gap.start_time):s} to {_FormatTime(gap.end_time):s}, "
            f"{gap.duration:d} s"
        )
    elif gap.end_time is not None:
        times = f"before {_FormatTime(gap.end_time):s}"
    elif gap.start_time is not None:
        times = f"after {_FormatTime(gap.start_time):s}"
    else:
        times = "all of the log"

    return f"{times:s}: {gap.reason:s}"


def _FormatTime(timestamp):
    """Formats a date and time.

    Args:
      timestamp (int): number of seconds since January 1, 1970 00:00:00 UTC, None if it
          is not known.

    Returns:
      str: date and time or the number if it is out of range.
    """
    if timestamp is None:
        return "not known"

    try:
        date_time = datetime.datetime.fromtimestamp(timestamp, datetime.timezone.utc)
        return date_time.strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OSError, OverflowError, ValueError):
        return f"not valid ({timestamp:d})"


def _FormatVersion(log):
    """Formats the version of atop.

    Args:
      log (rawlog.RawLog): log.

    Returns:
      str: version that the header has, and that of the structures where it differs.
    """
    layout_version = log.layout.version.partition("-")[0]
    if log.version == layout_version:
        return layout_version
    return f"{log.version or 'not known'!s}, read as {layout_version:s}"


def _GetLines(log):
    """Retrieves a summary of a log.

    Args:
      log (rawlog.RawLog): log.

    Returns:
      list[tuple[str, str]]: names and values.
    """
    summary = _Summary(log)

    lines = [
        ("Host name", text.Escape(log.hostname)),
        ("Version of atop", _FormatVersion(log)),
        ("Machine type", f"{text.Escape(log.machine):s}, {log.abi.name:s}"),
        ("Kernel", text.Escape(log.kernel_release)),
        ("Clock ticks", f"{log.hertz or 'not valid'!s} per second"),
        ("Page size", f"{log.page_size or 'not valid'!s} bytes"),
        ("Starts of atop", f"{summary.number_of_starts:d}"),
        ("Samples", f"{summary.number_of_samples:d}"),
    ]
    lines.extend(
        ("Converted", f"{number_of_samples:d} samples of {version:s}")
        for version, number_of_samples in summary.number_of_converted.items()
    )
    if summary.number_of_samples:
        interval = "not known"
        if summary.intervals:
            shortest, longest = summary.intervals
            interval = f"{longest:d} s"
            if shortest != longest:
                interval = f"{shortest:d} to {longest:d} s"

        accounting = (
            f"in {summary.number_of_samples_with_accounting:d} of "
            f"{summary.number_of_samples:d} samples"
        )
        if not summary.number_of_samples_with_accounting:
            accounting = "no"
        elif summary.number_of_samples_with_accounting == summary.number_of_samples:
            accounting = "yes"

        lines.extend(
            [
                ("Interval", interval),
                ("Earliest sample", _FormatTime(summary.earliest_time)),
                ("Latest sample", _FormatTime(summary.latest_time)),
                ("Process accounting", accounting),
            ]
        )

    if log.unsupported_sizes:
        lines.append(("Not supported", log.unsupported_sizes))

    lines.append(("Gaps", f"{summary.number_of_gaps:d}"))
    lines.extend(("Gap", _FormatGap(gap)) for gap in summary.gaps)
    if summary.number_of_gaps > len(summary.gaps):
        lines.append(("Gap", f"{summary.number_of_gaps - len(summary.gaps):d} more"))

    lines.append(("Damages", f"{log.number_of_damages:d}"))
    lines.extend(
        (
            "Damage",
            f"{damage.reason:s} at offset: 0x{damage.offset:08x} of size: "
            f"{damage.size:d}",
        )
        for damage in log.damages
    )
    if log.number_of_damages > len(log.damages):
        lines.append(
            (
                "Damage",
                f"{log.number_of_damages - len(log.damages):d} more, all are of size: "
                f"{log.damaged_size:d}",
            )
        )

    return lines


def _GetPaths(directory):
    """Retrieves the files in a directory and in those below it, in the order of names.

    Symbolic links are not followed: those in a mounted image may lead to files of the
    machine that mounts it.

    Args:
      directory (str): path of the directory.

    Yields:
      tuple[str, int]: path and mode of everything but directories. Unreadable entries
          are reported, their mode is None.
    """
    paths = [directory]
    while paths:
        path = paths.pop()
        try:
            # The directory itself may be a symbolic link.
            mode = os.stat(path, follow_symlinks=path is directory).st_mode
            if stat.S_ISDIR(mode):
                names = sorted(os.listdir(path), reverse=True)
                paths.extend(os.path.join(path, name) for name in names)
                continue

        except OSError as exception:
            _PrintProblem(path, exception)
            mode = None

        yield path, mode


def _PrintProblem(path, problem):
    """Prints why a file or directory cannot be read.

    Args:
      path (str): path.
      problem (Exception|str): what is wrong.
    """
    problem = getattr(problem, "strerror", None) or f"{problem!s}"
    problem = text.Escape(problem.encode("utf-8", "backslashreplace"))

    # Earlier output stands before it if both go to the same place.
    sys.stdout.flush()
    print(f"{text.Escape(os.fsencode(path)):s}: {problem:s}", file=sys.stderr)


def _ReadFile(path):
    """Reads a file.

    Args:
      path (str): path of the file.

    Returns:
      tuple[list[tuple[str, str]], str]: names and values, and reason why part of the
          file could not be read, None if all could.

    Raises:
      FormatError: if the file is no atop raw log, or cannot be read.
      OSError: if the file cannot be opened.
      _NoLogError: if the file is no atop raw log.
    """
    # To open a FIFO means to wait for a writer, who may never come.
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise _NoLogError(f"{file_types.GetName(status.st_mode):s}, not read")
    if not status.st_size:
        raise _NoLogError("empty")

    with open(path, "rb") as file_object:
        compression = compressed.GetCompression(file_object.read(8))
        file_object.seek(0)
        if compression == compressed.ZSTD:
            raise _NoLogError("compressed with zstd, which Plaso does not read")

        if not compression:
            _CheckContents(file_object)
            return _GetLines(rawlog.RawLog(file_object)), None

        _CheckDecompressed(file_object, compression)
        temporary_file, problem = compressed.Open(file_object, compression)
        with temporary_file:
            lines = [("Compression", compression)]
            if problem:
                lines = [("Compression", f"{compression:s}, cut or damaged")]
                problem = (
                    f"{compression:s} data can be read up to offset: "
                    f"0x{temporary_file.tell():08x} of the log: {problem:s}"
                )

            temporary_file.seek(0)
            try:
                _CheckContents(temporary_file)
                lines.extend(_GetLines(rawlog.RawLog(temporary_file)))
            except (_NoLogError, rawlog.FormatError) as exception:
                if problem:
                    raise type(exception)(f"{exception!s}, {problem:s}") from exception
                raise

            return lines, problem


def _ShowDirectory(directory):
    """Shows what the logs in a directory, and in those below it, hold.

    Other files are counted, but not those with a name that atop gives to its logs:
    somebody may have emptied such a log, or filled it with zeros.

    Args:
      directory (str): path of the directory.

    Returns:
      bool: True if all logs could be read.
    """
    counter = collections.Counter()
    for path, mode in _GetPaths(directory):
        is_read = None
        if mode is None:
            is_read = False
        elif stat.S_ISREG(mode):
            is_expected = os.path.basename(path).startswith("atop")
            is_read = _ShowFile(path, is_expected=is_expected)

        counter[is_read] += 1

    print(
        f"{text.Escape(os.fsencode(directory)):s}: {counter[True]:d} logs read, "
        f"{counter[False]:d} not or in part, {counter[None]:d} other files"
    )
    return not counter[False]


def _ShowFile(path, is_expected=True):
    """Shows what a log holds.

    Args:
      path (str): path of the log.
      is_expected (Optional[bool]): True if the file is expected to be a log.

    Returns:
      bool: True if all of it could be read. None if the file is no log, and was not
          expected to be one.
    """
    lines = []
    try:
        lines, problem = _ReadFile(path)
    except rawlog.UnsupportedError as exception:
        problem = exception
    except (_NoLogError, rawlog.FormatError) as exception:
        if not is_expected:
            return None
        problem = exception
    except OSError as exception:
        problem = exception
    # Whatever is wrong with a file, the next one is shown.
    except Exception as exception:  # pylint: disable=broad-except
        problem = f"{exception.__class__.__name__:s}: {exception!s}"

    if lines:
        print(text.Escape(os.fsencode(path)))
        for name, value in lines:
            print(f"  {name + ':':<20s}{value:s}")

    if problem:
        _PrintProblem(path, problem)
    return not problem


def Info(paths):
    """Shows what atop raw logs hold, without Plaso.

    Args:
      paths (list[str]): paths of logs, and of directories with logs.

    Returns:
      bool: True if all of them could be read.
    """
    is_complete = True
    for path in paths:
        show = _ShowDirectory if os.path.isdir(path) else _ShowFile
        is_complete &= show(path)

    return is_complete
