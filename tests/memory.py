"""Tests of the memory that a log takes, over what Plaso itself takes."""

import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

from plaso_atop import layouts
from plaso_atop import rawlog

import log_builder
from tests.lib import test_lib

# Runs in a process of its own. The events are not stored, as their storage is Plaso's.
_SCRIPT = """
import collections, json, re, sys
from plaso_atop import parser
from plaso_atop.plugins import interface
from tests.lib import test_lib

counter = collections.Counter()

def CountEventData(self, parser_mediator, event_data, corrupted=False):
    counter[event_data.data_type.rpartition(":")[2]] += 1

def GetPeak():
    # Unlike that of getrusage it does not begin with what the test itself takes.
    with open("/proc/self/status") as file_object:
        return int(re.search("VmHWM:[ \\t]+([0-9]+) kB", file_object.read())[1]) / 1024

interface.AtopPlugin._ProduceEventData = CountEventData
test = test_lib.ParserTestCase()
test._ParseFile(["atop-2.12.1.raw"], parser.AtopParser())
peak = GetPeak()
counter.clear()
storage_writer = test._ParseFile([sys.argv[1]], parser.AtopParser())
print(json.dumps([counter, GetPeak() - peak, test._GetWarnings(storage_writer)]))
"""

# Over what Plaso itself takes, in MiB, for any file and with all plugins.
MAXIMUM_MEMORY = 64


class LogWriter:
    """Writer of logs with more in a sample than a builder of logs is made for."""

    _T0 = 1795225000

    def __init__(self, path):
        """Starts a log.

        Args:
          path (str): path of the log.
        """
        super().__init__()
        self._layout = layouts.GetFileLayout("2.12", layouts.ABIS[0])
        self._members = {
            name: (offset, member)
            for name, offset, member in self._layout.tstat.Flatten()
        }
        self._number_of_samples = 0

        # The system block and the members of the record are those of an empty sample.
        builder = log_builder.LogBuilder(version="2.12")
        start = builder.AddSample(self._T0)
        data = builder.Build()
        record_end = start + self._layout.rawrecord.size
        self._record = data[start:record_end]
        scomplen = self._layout.rawrecord.members["scomplen"]
        (size,) = struct.unpack_from("<I", self._record, scomplen.offset)
        self._system = data[record_end : record_end + size]
        self._file_object = open(path, "wb")  # pylint: disable=consider-using-with
        self._file_object.write(data[: self._layout.rawheader.size])

    def __enter__(self):
        """Enters a with statement.

        Returns:
          LogWriter: writer.
        """
        return self

    def __exit__(self, *unused_exception):
        """Exits a with statement."""
        self._file_object.close()

    def _PackCgroups(self, cgroups):
        """Makes the control groups and the list of their processes.

        Args:
          cgroups (list[tuple[bytes, list[int]]]): names and processes of those below
              the root.

        Returns:
          tuple[bytes, bytes]: control groups and list of processes.
        """
        structure = self._layout.cstat
        chain = []
        pids = []
        for sequence, (name, group_pids) in enumerate([(b"", []), *cgroups]):
            size = -(-(structure.size + len(name) + 2) // 8) * 8
            data = log_builder.Pack(
                structure,
                {
                    "gen.structlen": size,
                    "gen.sequence": sequence,
                    "gen.parentseq": 0 if sequence else -1,
                    "gen.nprocs": len(group_pids),
                    "gen.namelen": len(name),
                },
            )
            chain.append((data + name).ljust(size, b"\x00"))
            pids.extend(group_pids)
        return b"".join(chain), struct.pack(f"<{len(pids):d}i", *pids)

    def AddSample(self, tasks, cgroups=None, is_complete=True):
        """Adds a sample.

        Args:
          tasks (Iterable[dict[str, object]]): values of members of the entries of the
              process list, one after the other.
          cgroups (Optional[list[tuple[bytes, list[int]]]]): names and processes of the
              control groups below the root.
          is_complete (Optional[bool]): False if the record is to say that there are
              more tasks than those that are listed.
        """
        compressor = zlib.compressobj(1)
        chunks = []
        number_of_tasks = 0
        for values in tasks:
            entry = bytearray(self._layout.tstat.size)
            for name, value in values.items():
                offset, member = self._members[name]
                if member.format == "s":
                    entry[offset : offset + len(value)] = value
                else:
                    struct.pack_into(f"<{member.format:s}", entry, offset, value)
            chunks.append(compressor.compress(entry))
            number_of_tasks += 1

        chunks.append(compressor.flush())
        blocks = [self._system, b"".join(chunks)]
        is_boot = not self._number_of_samples
        values = {
            "curtime": self._T0 + 600 * self._number_of_samples,
            "flags": rawlog.FLAG_BOOT if is_boot else 0,
            "ndeviat": number_of_tasks,
            "ntask": number_of_tasks if is_complete else 1 << 22,
            "pcomplen": len(blocks[1]),
        }
        if cgroups:
            chain, pids = self._PackCgroups(cgroups)
            blocks.extend([zlib.compress(chain, 1), zlib.compress(pids, 1)])
            values.update(
                {
                    "ccomplen": len(blocks[2]),
                    "coriglen": len(chain),
                    "flags": values["flags"] | rawlog.FLAG_CGROUPS,
                    "icomplen": len(blocks[3]),
                    "ncgpids": len(pids) // 4,
                }
            )

        record = bytearray(self._record)
        for name, value in values.items():
            member = self._layout.rawrecord.members[name]
            struct.pack_into(f"<{member.format:s}", record, member.offset, value)
        self._file_object.write(bytes(record) + b"".join(blocks))
        self._number_of_samples += 1


class MemoryTest(test_lib.BaseTestCase):
    """Tests of the memory that a log takes."""

    def _GetProcess(self, pid, **values):
        """Makes the entry of a process.

        Args:
          pid (int): process identifier.
          values (dict[str, object]): values of members of gen that differ.

        Returns:
          dict[str, object]: values of members of the entry.
        """
        return {
            "gen.tgid": pid,
            "gen.pid": pid,
            "gen.isproc": 1,
            "gen.state": b"S",
            "gen.btime": 1795000000 + pid,
            "gen.name": b"daemon-%d" % pid,
            "gen.cmdline": b"/usr/sbin/daemon --id %d --foreground" % pid,
            "cpu.utime": 300 + pid,
            "mem.rmem": 500 + pid,
            "mem.vmem": 700 + pid,
            **{f"gen.{name:s}": value for name, value in values.items()},
        }

    def _ReadLog(self, write):
        """Reads a log in a process of its own.

        Args:
          write (function): writes the samples with a writer.

        Returns:
          tuple[dict[str, int], list[str]]: number of events per type, and warnings.
        """
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "log")
            with LogWriter(path) as writer:
                write(writer)
            output = subprocess.run(
                [sys.executable, "-c", _SCRIPT, path],
                check=True,
                cwd=test_lib.PROJECT_PATH,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout

        counter, memory, warnings = json.loads(output)
        self.assertLess(memory, MAXIMUM_MEMORY)
        return counter, warnings

    def testLargeServer(self):
        """Tests 50,000 processes in 2,000 control groups, all of which are shown."""

        def _Write(writer):
            """Writes two samples."""
            cgroups = [
                (b"pod-%d" % index, list(range(1000 + 25 * index, 1025 + 25 * index)))
                for index in range(2000)
            ]
            for _ in range(2):
                tasks = (self._GetProcess(1000 + index) for index in range(50000))
                writer.AddSample(tasks, cgroups)

        counter, warnings = self._ReadLog(_Write)
        self.assertEqual(warnings, [])
        self.assertEqual(counter["process"], 50000)
        self.assertEqual(counter["process_activity"], 100000)
        # Those that hold processes, and the root, which used nothing.
        self.assertEqual(counter["cgroup"], 2000)

    def testOrphans(self):
        """Tests processes that keep the long command lines of parents that are gone."""

        def _Write(writer):
            """Writes parents and children, then the children and others like these."""
            for index in range(6):
                tasks = []
                for number in range(9000):
                    pid = 100000 * (index + 1) + 2 * number
                    cmdline = (b"%d " % pid).ljust(255, b"x")
                    tasks.append(self._GetProcess(pid, cmdline=cmdline))
                    tasks.append(self._GetProcess(pid + 1, ppid=pid, cmdline=b"c"))
                for previous in range(index):
                    tasks.extend(
                        self._GetProcess(pid, ppid=pid - 1, cmdline=b"c")
                        for pid in range(
                            100000 * (previous + 1) + 1,
                            100000 * (previous + 1) + 18000,
                            2,
                        )
                    )
                writer.AddSample(tasks)

        counter, warnings = self._ReadLog(_Write)
        self.assertGreater(counter["process"], 50000)
        self.assertLessEqual(len(warnings), 1)

    def testDescendants(self):
        """Tests processes that have ever more ancestors, all of which are gone."""
        number_of_samples = 34
        number_of_processes = 9000

        def _Write(writer):
            """Writes the children of the processes of the sample before."""
            for index in range(number_of_samples):
                writer.AddSample(
                    self._GetProcess(
                        100000 * (index + 1) + number,
                        ppid=100000 * index + number if index else 0,
                        name=b"%d" % (1000 * index + number),
                    )
                    for number in range(number_of_processes)
                )

        counter, warnings = self._ReadLog(_Write)
        self.assertEqual(len(warnings), 1)
        self.assertIn("entries of processes left out", warnings[0])
        self.assertGreater(counter["process"], 25 * number_of_processes)

    def testThreads(self):
        """Tests a process of 50,000 threads."""

        def _Write(writer):
            """Writes two samples."""
            for _ in range(2):
                writer.AddSample(
                    self._GetProcess(1000 + index, tgid=1000, isproc=index == 0)
                    for index in range(50000)
                )

        counter, warnings = self._ReadLog(_Write)
        self.assertEqual(warnings, [])
        self.assertEqual(counter["process"], 1)
        self.assertEqual(counter["thread"], 2 * 49999)

    def testRepeatedExit(self):
        """Tests an exit that stands in a sample 100,000 times."""

        def _Write(writer):
            """Writes two samples."""
            for _ in range(2):
                writer.AddSample(
                    self._GetProcess(7, state=b"E", elaps=100) for _ in range(100000)
                )

        counter, warnings = self._ReadLog(_Write)
        self.assertEqual(warnings, [])
        self.assertEqual(counter["process"], 2)
        self.assertEqual(counter["process_activity"], 2)

    def testForgedLog(self):
        """Tests a log that is made to fill the memory in every way at once."""

        def _Write(writer):
            """Writes processes that neither exit nor vanish, and change."""
            cgroups = [
                (b"group-%d" % index, list(range(80 * index, 80 * index + 80)))
                for index in range(5900)
            ]
            for index in range(10):
                tasks = [
                    self._GetProcess(
                        1000 + 8000 * (index % 8) + number,
                        cmdline=(b"%d %d " % (number, index)).ljust(255, b"x"),
                        ruid=number,
                    )
                    for number in range(8000)
                ]
                if index >= 8:
                    tasks.extend(
                        self._GetProcess(100000 + number, state=b"E", cmdline=b"")
                        for number in range(60000)
                    )
                writer.AddSample(tasks, cgroups, is_complete=False)

        counter, warnings = self._ReadLog(_Write)
        self.assertGreater(counter["process"], 100000)
        self.assertEqual(len(warnings), 4, warnings)
        for warning, expected in zip(
            warnings,
            (
                "entries of processes left out",
                "changes of processes left out",
                "exits left out",
                "control groups of",
            ),
        ):
            self.assertIn(expected, warning)

    def testManyCgroups(self):
        """Tests more control groups than are used."""

        def _Write(writer):
            """Writes a sample."""
            cgroups = [(b"group-%d" % index, []) for index in range(10000)]
            writer.AddSample([self._GetProcess(7)], cgroups)

        counter, warnings = self._ReadLog(_Write)
        self.assertEqual(
            counter, {"process": 1, "process_activity": 1, "session": 1, "system": 1}
        )
        self.assertEqual(len(warnings), 1)
        self.assertIn("cgroups too large", warnings[0])


if __name__ == "__main__":
    unittest.main()
