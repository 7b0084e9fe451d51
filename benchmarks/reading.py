"""Compares what it costs to read a task with other readers of atop's logs.

Runs in an environment with atoparser and dissect.target, in one process: the readers take
turns with the same log. Each is used in the fastest way that it offers, and 24 members of
every task are read as attributes.
"""

import os
import sys
import tempfile
import time
import zlib

import atoparser

from dissect.target.plugins.os.unix.log import atop as dissect_atop
from zlib_ng import zlib_ng

from benchmarks import logs
from benchmarks import report
from plaso_atop import blocks
from plaso_atop import rawlog

# In the order in which all readers give them.
MEMBERS = (
    "tgid pid ppid ruid euid rgid egid nthr name isproc state excode btime elaps cmdline "
    "utime stime rsz wsz cwsz minflt majflt vmem rmem"
).split()

MINIMUM_RATIOS = {"atoparser": 6, "dissect.target": 25}


def _ReadTasks(tasks):
    """Reads tasks that consist of parts.

    Args:
      tasks (Iterable[object]): tasks.

    Yields:
      tuple: values of the members of a task.
    """
    for task in tasks:
        gen, cpu, dsk, mem = task.gen, task.cpu, task.dsk, task.mem
        yield (
            gen.tgid,
            gen.pid,
            gen.ppid,
            gen.ruid,
            gen.euid,
            gen.rgid,
            gen.egid,
            gen.nthr,
            gen.name,
            gen.isproc,
            gen.state,
            gen.excode,
            gen.btime,
            gen.elaps,
            gen.cmdline,
            cpu.utime,
            cpu.stime,
            dsk.rsz,
            dsk.wsz,
            dsk.cwsz,
            mem.minflt,
            mem.majflt,
            mem.vmem,
            mem.rmem,
        )


def ReadWithAtoparser(path):
    """Reads the tasks of a log with atoparser, in the way that it documents.

    It reads system blocks and cgroups as well.

    Args:
      path (str): path of the log.

    Yields:
      tuple: values of the members of a task.
    """
    with open(path, "rb") as file_object:
        for _, _, tasks, _ in atoparser.generate_statistics(file_object):
            yield from _ReadTasks(tasks)


def ReadWithAtoparserFunctions(path):
    """Reads the tasks of a log with those functions of atoparser that read tasks.

    Args:
      path (str): path of the log.

    Yields:
      tuple: values of the members of a task.
    """
    with open(path, "rb") as file_object:
        header = atoparser.get_header(file_object)
        while True:
            record = atoparser.get_record(file_object, header)
            if not record.scomplen:
                break

            file_object.seek(record.scomplen, os.SEEK_CUR)
            yield from _ReadTasks(atoparser.get_tstat(file_object, header, record))
            cgroups_size = getattr(record, "ccomplen", 0)
            file_object.seek(cgroups_size + getattr(record, "icomplen", 0), os.SEEK_CUR)


def ReadWithDissect(path):
    """Reads the tasks of a log with dissect.target.

    Args:
      path (str): path of the log.

    Yields:
      tuple: values of the members of a task.
    """
    with open(path, "rb") as file_object:
        yield from _ReadTasks(dissect_atop.AtopFile(file_object))


def ReadWithOurs(path):
    """Reads the tasks of a log with plaso_atop.

    Args:
      path (str): path of the log.

    Yields:
      tuple: values of the members of a task.
    """
    with open(path, "rb") as file_object:
        for sample in rawlog.RawLog(file_object).samples():
            for task in sample.tasks():
                yield (
                    task.tgid,
                    task.pid,
                    task.ppid,
                    task.ruid,
                    task.euid,
                    task.rgid,
                    task.egid,
                    task.nthr,
                    task.name,
                    task.isproc,
                    task.state,
                    task.excode,
                    task.btime,
                    task.elaps,
                    task.cmdline,
                    task.utime,
                    task.stime,
                    task.rsz,
                    task.wsz,
                    task.cwsz,
                    task.minflt,
                    task.majflt,
                    task.vmem,
                    task.rmem,
                )


def ReadWithOursAndZlib(path):
    """Reads the tasks of a log with plaso_atop and the zlib of the standard library.

    Args:
      path (str): path of the log.

    Yields:
      tuple: values of the members of a task.
    """
    blocks.zlib = zlib
    try:
        yield from ReadWithOurs(path)
    finally:
        blocks.zlib = zlib_ng


def _GetComparable(values):
    """Retrieves values of a task that are the same for every reader.

    Args:
      values (tuple): values of the members.

    Returns:
      tuple: values, text without what follows the first NUL.
    """
    return tuple(
        value.partition(b"\x00")[0] if isinstance(value, bytes) else int(value)
        for name, value in zip(MEMBERS, values)
        if name not in ("isproc", "state")
    )


def _Measure(function, argument):
    """Measures the CPU time of a function.

    Args:
      function (function): function that returns an iterable.
      argument (object): argument of the function.

    Returns:
      float: seconds.
    """
    start_time = time.process_time()
    for _ in function(argument):
        pass
    return time.process_time() - start_time


def _Compare(path, version, readers, number_of_runs):
    """Compares readers.

    Args:
      path (str): path of the log.
      version (str): version of atop.
      readers (dict[str, function]): readers per name, ours first.
      number_of_runs (int): number of runs.

    Returns:
      list[report.Target]: targets.

    Raises:
      RuntimeError: if a reader does not read what the others do.
    """
    contents = None
    for name, reader in readers.items():
        values = [_GetComparable(values) for values in reader(path)]
        if contents not in (None, values):
            raise RuntimeError(f"{name:s} reads other values of {version:s}")
        contents = values
    number_of_tasks = len(contents)
    contents = values = None

    blocks = []
    with open(path, "rb") as file_object:
        for sample in rawlog.RawLog(file_object).samples():
            file_object.seek(sample.tasks_block.offset)
            blocks.append(file_object.read(sample.tasks_block.compressed_size))

    measured = {name: [] for name in readers}
    inflated = {"zlib": [], "zlib-ng": []}
    for _ in range(number_of_runs):
        for name, reader in readers.items():
            measured[name].append(_Measure(reader, path))
        for name, module in (("zlib", zlib), ("zlib-ng", zlib_ng)):
            inflated[name].append(
                _Measure(lambda module: map(module.decompress, blocks), module)
            )

    ours = measured["plaso_atop"]
    rows = []
    for name, values in measured.items():
        microseconds = report.GetMedian(values) * 1e6 / number_of_tasks
        ratio = None if values is ours else report.GetRatio(values, ours)
        rows.append((name, microseconds, ratio))
    for name, values in inflated.items():
        microseconds = report.GetMedian(values) * 1e6 / number_of_tasks
        rows.append((f"inflating alone, {name:s}", microseconds, None))

    report.PrintTable(
        f"Reading {number_of_tasks:d} tasks of atop {version:s}, "
        f"{len(MEMBERS):d} members of each",
        ["us per task", "times ours"],
        rows,
    )

    return [
        report.Target(
            f"reading {version:s} {ratio:.1f} times faster than {name:s}, at least "
            f"{MINIMUM_RATIOS[name]:d}",
            ratio >= MINIMUM_RATIOS[name],
        )
        for name, _, ratio in rows
        if name in MINIMUM_RATIOS
    ]


def Run(options):
    """Runs the benchmark.

    Args:
      options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    targets = []
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "atop")
        for version in ("2.7", "2.12"):
            logs.LogWriter(version).WriteDay(path, 0)
            readers = {
                "plaso_atop": ReadWithOurs,
                "plaso_atop without zlib-ng": ReadWithOursAndZlib,
                "atoparser": ReadWithAtoparser,
                "atoparser, get_tstat alone": ReadWithAtoparserFunctions,
            }
            if version == "2.7":
                # Reads no other versions.
                readers["dissect.target"] = ReadWithDissect
            targets.extend(_Compare(path, version, readers, options.runs))
    return targets


if __name__ == "__main__":
    sys.exit(report.Main(Run, __doc__))
