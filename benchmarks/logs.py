"""Builds the logs that the benchmarks read, from what is in the test data.

A log is a day of a server: samples every ten minutes, processes and threads that live
all day and use a little, and processes that come and go within an interval. What these
are is taken from a real log, so that they compress and look like real ones.
"""

import io
import os
import random
import struct
import zlib

from plaso_atop import rawlog

TEST_DATA_PATH = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "test_data"
)

# Logs of the test data per version.
LOG_NAMES = {"2.7": "atop-2.7.1", "2.8": "atop-2.8.1", "2.12": "atop-2.12.1"}

INTERVAL = 600
SAMPLES_PER_DAY = 144
START_TIME = 1790812800

NUMBER_OF_PROCESSES = 300
NUMBER_OF_THREADS = 500
NUMBER_OF_SHORT_LIVED = 40

# Of the processes that live all day these are active in an interval.
ACTIVE_SHARE = 0.3


class LogWriter:
    """Writes logs of a version."""

    def __init__(self, version):
        """Initializes a writer.

        Args:
          version (str): version of atop, one of LOG_NAMES.
        """
        super().__init__()
        path = os.path.join(TEST_DATA_PATH, f"{LOG_NAMES[version]:s}.raw")
        with open(path, "rb") as file_object:
            data = file_object.read()

        log = rawlog.RawLog(io.BytesIO(data))
        self._layout = log.layout
        self._members = {
            name: (offset, f"{log.abi.byte_order:s}{member.format or '':s}", member)
            for name, offset, member in log.layout.tstat.Flatten()
        }
        self._header = data[: log.layout.rawheader.size]

        size = log.layout.tstat.size
        self._command_lines = []
        self._exited = []
        self._living = []
        self._systems = []
        for sample in log.samples():
            # The first one holds totals since the system was started.
            if not sample.is_boot:
                self._systems.append(
                    data[sample.system_block.offset : sample.system_block.end_offset]
                )
            for task in sample.processes():
                entry = task.data[task.data_offset : task.data_offset + size]
                if task.state == rawlog.STATE_EXITED:
                    self._exited.append(entry)
                elif task.state == b"S":
                    self._living.append(entry)

    def _GetTask(self, entry, values):
        """Retrieves an entry of a process list with other values.

        Args:
          entry (bytes): entry.
          values (dict[str, int|bytes]): values per name of the member.

        Returns:
          bytes: entry.
        """
        task = bytearray(entry)
        for name, value in values.items():
            offset, member_format, member = self._members[name]
            if member.format == "s":
                task[offset : offset + member.count] = value[: member.count].ljust(
                    member.count, b"\x00"
                )
            else:
                struct.pack_into(member_format, task, offset, value)
        return bytes(task)

    def _GetTasks(self, random_source, day, index, curtime):
        """Retrieves the process list of a sample.

        Args:
          random_source (random.Random): source of randomness.
          day (int): number of the day.
          index (int): number of the sample.
          curtime (int): time of the sample.

        Returns:
          list[bytes]: entries.
        """
        tasks = []
        threads_per_process = NUMBER_OF_THREADS // 50
        for number in range(NUMBER_OF_PROCESSES):
            pid = 300 + 3 * number
            is_active = not index or random_source.random() < ACTIVE_SHARE
            values = {
                "gen.tgid": pid,
                "gen.pid": pid,
                "gen.ppid": 1,
                "gen.btime": START_TIME - 86400 - number,
                "gen.excode": 0 if index else -(1 << 31),
                "gen.isproc": 1,
                "gen.name": b"service-%d" % number,
                "gen.cmdline": b"/usr/sbin/service-%d --config /etc/service/%d.conf"
                % (number, number),
                "gen.wasinactive": not is_active,
                "cpu.utime": random_source.randrange(2000) if is_active else 0,
                "cpu.stime": random_source.randrange(500) if is_active else 0,
                "mem.minflt": random_source.randrange(9999) if is_active else 0,
                "dsk.wsz": random_source.randrange(9999) if is_active else 0,
            }
            entry = self._living[number % len(self._living)]
            tasks.append(self._GetTask(entry, values))
            if number < 50:
                for thread in range(threads_per_process):
                    values.update(
                        {
                            "gen.pid": 10000 + number * threads_per_process + thread,
                            "gen.isproc": 0,
                            "gen.cmdline": b"",
                        }
                    )
                    tasks.append(self._GetTask(entry, values))

        if index:
            for number in range(NUMBER_OF_SHORT_LIVED):
                pid = 20000 + index * NUMBER_OF_SHORT_LIVED + number
                entry = self._exited[number % len(self._exited)]
                values = {
                    "gen.tgid": pid,
                    "gen.pid": pid,
                    "gen.ppid": 300 + 3 * (number % NUMBER_OF_PROCESSES),
                    "gen.btime": curtime - random_source.randrange(1, INTERVAL),
                    "gen.elaps": random_source.randrange(100),
                    "gen.excode": -(1 << 31) | random_source.choice((0, 0, 0, 256)),
                }
                tasks.append(self._GetTask(entry, values))
        return tasks

    def WriteDay(self, path, day):
        """Writes the log of a day.

        Args:
          path (str): path of the log.
          day (int): number of the day, which is all that makes days different.

        Returns:
          int: number of entries in the process lists.
        """
        random_source = random.Random(day)
        record_members = self._layout.rawrecord.members
        number_of_tasks = 0

        with open(path, "wb") as file_object:
            file_object.write(self._header)
            for index in range(SAMPLES_PER_DAY):
                curtime = START_TIME + (day * SAMPLES_PER_DAY + index) * INTERVAL
                tasks = self._GetTasks(random_source, day, index, curtime)
                number_of_tasks += len(tasks)
                system = random_source.choice(self._systems)
                compressed = zlib.compress(b"".join(tasks))

                record = bytearray(self._layout.rawrecord.size)
                number_of_exited = NUMBER_OF_SHORT_LIVED if index else 0
                for name, value in (
                    ("curtime", curtime),
                    ("flags", 0x30 | (0x1 if not index else 0)),
                    ("scomplen", len(system)),
                    ("pcomplen", len(compressed)),
                    ("interval", INTERVAL if index else 86400 * (day + 2)),
                    ("ndeviat", len(tasks)),
                    ("ntask", len(tasks)),
                    ("nactproc", NUMBER_OF_PROCESSES),
                    ("totproc", NUMBER_OF_PROCESSES + number_of_exited),
                    ("totrun", 2),
                    ("totslpi", NUMBER_OF_PROCESSES + NUMBER_OF_THREADS - 2),
                    ("nexit", number_of_exited),
                ):
                    member = record_members[name]
                    struct.pack_into(
                        f"{self._layout.abi.byte_order:s}{member.format:s}",
                        record,
                        member.offset,
                        value,
                    )
                file_object.write(bytes(record) + system + compressed)

        return number_of_tasks
