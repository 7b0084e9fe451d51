"""Tests of the memory that a log takes, over what Plaso itself takes."""

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
import resource, sys
from plaso_atop import parser
from plaso_atop.plugins import interface
from tests.lib import test_lib

number_of_events = 0

def CountEventData(self, parser_mediator, event_data, corrupted=False):
    global number_of_events
    number_of_events += 1

def GetPeak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

interface.AtopPlugin._ProduceEventData = CountEventData
test = test_lib.ParserTestCase()
test._ParseFile(["atop-2.12.1.raw"], parser.AtopParser())
peak = GetPeak()
number_of_events = 0
atop_parser = parser.AtopParser()
atop_parser.EnablePlugins(set(atop_parser.GetPluginNames()))
storage_writer = test._ParseFile([sys.argv[1]], atop_parser)
assert not test._GetWarnings(storage_writer), test._GetWarnings(storage_writer)
print(number_of_events, GetPeak() - peak)
"""

# Over what Plaso itself takes, in MiB.
MAXIMUM_MEMORY = 40


class MemoryTest(test_lib.BaseTestCase):
    """Tests of the memory that a log takes."""

    def _WriteLog(self, path, number_of_tasks, are_processes):
        """Writes a log of two samples.

        Args:
          path (str): path of the log.
          number_of_tasks (int): number of entries in a process list.
          are_processes (bool): True if all of them are processes, all different, False
              if all but the first are threads.
        """
        layout = layouts.GetFileLayout("2.12", layouts.ABIS[0])
        members = {name: offset for name, offset, _ in layout.tstat.Flatten()}
        entry = bytearray(log_builder.Pack(layout.tstat, {"gen.state": b"S"}))

        # The system block and the members of the record are those of an empty sample.
        builder = log_builder.LogBuilder(version="2.12")
        header_size = layout.rawheader.size
        start = builder.AddSample(1795225000, flags=rawlog.FLAG_BOOT)
        data = builder.Build()
        record = bytearray(data[start : start + layout.rawrecord.size])
        record_members = layout.rawrecord.members
        (scomplen,) = struct.unpack_from(
            "<I", record, record_members["scomplen"].offset
        )
        system_offset = start + layout.rawrecord.size
        system = data[system_offset : system_offset + scomplen]

        with open(path, "wb") as file_object:
            file_object.write(data[:header_size])
            for index in range(2):
                compressor = zlib.compressobj(1)
                chunks = []
                for number in range(number_of_tasks):
                    is_process = are_processes or not number
                    pid = 1000 + number
                    for name, member_format, value in (
                        ("gen.tgid", "i", pid if is_process else 1000),
                        ("gen.pid", "i", pid),
                        ("gen.isproc", "B", is_process),
                        ("gen.btime", "q", 1795000000 + number),
                        ("gen.excode", "i", 0 if index else -(1 << 31)),
                        ("gen.name", "16s", b"daemon-%d" % number),
                        ("gen.cmdline", "256s", b"/usr/sbin/daemon --id %d" % number),
                        ("cpu.utime", "q", 3 * number),
                        ("mem.rmem", "q", 5 * number),
                        ("mem.vmem", "q", 7 * number),
                    ):
                        struct.pack_into(
                            f"<{member_format:s}", entry, members[name], value
                        )
                    chunks.append(compressor.compress(bytes(entry)))
                chunks.append(compressor.flush())
                tasks = b"".join(chunks)

                for name, value in (
                    ("pcomplen", len(tasks)),
                    ("ndeviat", number_of_tasks),
                    ("ntask", number_of_tasks),
                ):
                    struct.pack_into("<I", record, record_members[name].offset, value)
                struct.pack_into("<q", record, 0, 1795225000 + 600 * index)
                struct.pack_into(
                    "<H", record, record_members["flags"].offset, not index
                )
                file_object.write(bytes(record) + system + tasks)

    def testLargeSample(self):
        """Tests samples of 50,000 processes, and of as many threads."""
        for are_processes, expected in ((True, 50000), (False, 1)):
            with tempfile.TemporaryDirectory() as directory:
                path = os.path.join(directory, "large")
                self._WriteLog(path, 50000, are_processes)
                output = subprocess.run(
                    [sys.executable, "-c", _SCRIPT, path],
                    check=True,
                    cwd=test_lib.PROJECT_PATH,
                    stdout=subprocess.PIPE,
                    text=True,
                ).stdout

            number_of_events, memory = output.split()
            # The processes, a session and two samples of the system.
            self.assertEqual(int(number_of_events), expected + 3)
            self.assertLess(float(memory), MAXIMUM_MEMORY)


if __name__ == "__main__":
    unittest.main()
