"""Reads the tasks of a log with one of several readers of atop's logs.

Each reader is used in the fastest way that it offers, and 24 members of every task are
read as attributes. As a program this is what a process costs that reads a log: it is
not run as a module, so that only what the reader itself needs is imported, as
installed.
"""

# pylint: disable=import-outside-toplevel

import os
import sys

# In the order in which all readers give them.
MEMBERS = (
    "tgid pid ppid ruid euid rgid egid nthr name isproc state excode btime elaps "
    "cmdline utime stime rsz wsz cwsz minflt majflt vmem rmem"
).split()


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
    import atoparser

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
    import atoparser

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
    from dissect.target.plugins.os.unix.log import atop as dissect_atop

    with open(path, "rb") as file_object:
        yield from _ReadTasks(dissect_atop.AtopFile(file_object))


def ReadWithOurs(path):
    """Reads the tasks of a log with plaso_atop.

    Args:
      path (str): path of the log.

    Yields:
      tuple: values of the members of a task.
    """
    from plaso_atop import rawlog

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


# What can be run as a program, per name.
READERS = {"plaso_atop": ReadWithOurs, "atoparser": ReadWithAtoparser}


def Main():
    """Runs the program, with the name of a reader and the path of a log."""
    name, path = sys.argv[1:]
    for _ in READERS[name](path):
        pass


if __name__ == "__main__":
    Main()
