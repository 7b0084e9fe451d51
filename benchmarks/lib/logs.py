"""Builds the logs that the benchmarks read, from what is in the test data.

A log is a day of a server: samples every ten minutes, processes and threads that live
for weeks, and processes that come and go within an interval. Some of the former are
active in an interval. atop was started again at midnight. The first sample of a day
shows what was used since the system was started. Entries and system blocks are those
of a real log with other values, so that they compress and look like real ones. A day
is the same in every run.
"""

import concurrent.futures
import io
import os
import random
import shutil
import struct
import zlib

import log_builder

from plaso_atop import rawlog

TEST_DATA_PATH = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "test_data"
)

# Logs of the test data per version.
LOG_NAMES = {"2.7": "atop-2.7.1", "2.8": "atop-2.8.1", "2.12": "atop-2.12.1"}

INTERVAL = 600
SAMPLES_PER_DAY = 144
START_TIME = 1790812800

NUMBER_OF_PROCESSES = 300
NUMBER_OF_SHORT_LIVED = 40
NUMBER_OF_THREADS = 500

# Processes with threads.
NUMBER_OF_THREADED = 50

# Of what lives all day this share is active in an interval.
ACTIVE_SHARE = 0.3


class LogWriter:
    """Writes logs of a version."""

    # What a task used, and how much of it an active one uses in an interval.
    _COUNTERS = (
        ("cpu.utime", 2000),
        ("cpu.stime", 500),
        ("cpu.rundelay", 10**9),
        ("dsk.rio", 40),
        ("dsk.rsz", 9999),
        ("dsk.wio", 400),
        ("dsk.wsz", 9999),
        ("mem.minflt", 9999),
    )

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
        self._header = data[: log.layout.rawheader.size]
        self._layout = log.layout
        self._members = {
            name: (offset, f"{log.abi.byte_order:s}{member.format or '':s}", member)
            for name, offset, member in log.layout.tstat.Flatten()
        }
        self._size = log.layout.tstat.size

        self._cgroups = None
        self._exited = []
        self._systems = []
        sleeping = []
        for sample in log.samples():
            for task in sample.processes():
                entry = task.entry
                if task.state == rawlog.STATE_EXITED:
                    self._exited.append(entry)
                elif task.state == b"S":
                    sleeping.append((task.name, entry))

            # That of the first sample holds totals since the system was started.
            if not sample.is_boot:
                self._systems.append(
                    data[sample.system_block.offset : sample.system_block.end_offset]
                )
                if sample.cgroups_block:
                    self._cgroups = (
                        sample.record.ncgroups,
                        sample.cgroups_block.GetData(),
                    )

        self._CreateLiving(sleeping)

    def _CreateCgroupBlocks(self):
        """Creates the blocks with the cgroups, which share the processes.

        Returns:
          tuple[dict[str, int], bytes]: values of the record and blocks.
        """
        if not self._cgroups:
            return {}, b""

        number_of_cgroups, data = self._cgroups
        data = bytearray(data)
        byte_order = self._layout.abi.byte_order
        gen = self._layout.cstat.members["gen"]
        members = gen.structure.members

        pids = [300 + 3 * number for number in range(NUMBER_OF_PROCESSES)]
        offset = 0
        for index in range(number_of_cgroups):
            # The last one holds what is left.
            share = NUMBER_OF_PROCESSES // number_of_cgroups
            if index == number_of_cgroups - 1:
                share = NUMBER_OF_PROCESSES - index * share
            for name, value in (("nprocs", share), ("structlen", None)):
                member = members[name]
                member_format = f"{byte_order:s}{member.format:s}"
                position = offset + gen.offset + member.offset
                if value is not None:
                    struct.pack_into(member_format, data, position, value)
            (structlen,) = struct.unpack_from(member_format, data, position)
            offset += structlen

        cgroups = zlib.compress(bytes(data))
        cgroup_pids = zlib.compress(struct.pack(f"{byte_order:s}{len(pids):d}i", *pids))
        values = {
            "ccomplen": len(cgroups),
            "coriglen": len(data),
            "icomplen": len(cgroup_pids),
            "ncgpids": len(pids),
            "ncgroups": number_of_cgroups,
        }
        return values, cgroups + cgroup_pids

    def _CreateLiving(self, sleeping):
        """Creates the entries of what lives all day, as they are when inactive.

        Args:
          sleeping (list[tuple[bytes, bytes]]): names and entries in the test data.
        """
        random_source = random.Random(0)
        entries = []
        for number in range(NUMBER_OF_PROCESSES):
            name, entry = sleeping[number % len(sleeping)]
            pid = 300 + 3 * number
            number_of_threads = 1
            if number < NUMBER_OF_THREADED:
                number_of_threads = NUMBER_OF_THREADS // NUMBER_OF_THREADED

            values = {name: 0 for name, _ in self._COUNTERS}
            values.update(
                {
                    "gen.tgid": pid,
                    "gen.pid": pid,
                    "gen.ppid": 1,
                    "gen.btime": START_TIME - 86400 - number,
                    "gen.cmdline": b"/usr/sbin/%s-%d --config /etc/%s/%d.conf"
                    % (name, number, name, number),
                    "gen.excode": 0,
                    "gen.isproc": 1,
                    "gen.name": b"%s-%d" % (name[:10], number),
                    "gen.nthr": number_of_threads,
                    "gen.nthrslpi": number_of_threads,
                    "gen.wasinactive": 1,
                    "cpu.curcpu": random_source.randrange(16),
                    "mem.rmem": random_source.randrange(1 << 18),
                    "mem.vmem": random_source.randrange(1 << 22),
                }
            )
            entry = bytearray(entry)
            self._SetValues(entry, 0, values)
            entries.append(bytes(entry))

            if number_of_threads > 1:
                for index in range(number_of_threads):
                    values = {
                        "gen.pid": pid if not index else 10000 + 10 * number + index,
                        "gen.cmdline": b"",
                        "gen.isproc": 0,
                        "gen.name": b"%s-%d/%d" % (name[:10], number, index),
                        "gen.nthr": 1,
                        "gen.nthrslpi": 1,
                        "mem.rmem": 0,
                        "mem.vmem": 0,
                    }
                    self._SetValues(entry, 0, values)
                    entries.append(bytes(entry))

        self._living = b"".join(entries)

    def _CreateTasks(self, random_source, index, curtime):
        """Creates the process list of a sample.

        Args:
          random_source (random.Random): source of randomness.
          index (int): number of the sample.
          curtime (int): time of the sample.

        Returns:
          bytes: process list.
        """
        tasks = bytearray(self._living)
        for offset in range(0, len(tasks), self._size):
            # For a task that atop did not know the counters are totals.
            if not index or random_source.random() < ACTIVE_SHARE:
                values = {
                    name: int(random_source.random() * maximum)
                    for name, maximum in self._COUNTERS
                }
                values["gen.excode"] = 0 if index else log_builder.IS_NEW
                values["gen.wasinactive"] = 0
                self._SetValues(tasks, offset, values)

        if index:
            for number in range(NUMBER_OF_SHORT_LIVED):
                pid = 20000 + index * NUMBER_OF_SHORT_LIVED + number
                values = {
                    "gen.tgid": pid,
                    "gen.pid": pid,
                    "gen.ppid": 300 + 3 * random_source.randrange(NUMBER_OF_PROCESSES),
                    "gen.btime": curtime - random_source.randrange(1, INTERVAL),
                    "gen.elaps": random_source.randrange(100),
                    "gen.excode": log_builder.IS_NEW
                    | random_source.choice((0, 0, 0, 256)),
                    "cpu.utime": random_source.randrange(100),
                    "cpu.stime": random_source.randrange(100),
                }
                tasks += self._exited[number % len(self._exited)]
                self._SetValues(tasks, len(tasks) - self._size, values)

        return bytes(tasks)

    def _SetValues(self, data, offset, values):
        """Sets values of an entry of a process list.

        Args:
          data (bytearray): data of the process list.
          offset (int): offset of the entry in the data.
          values (dict[str, int|bytes]): values per name of the member.
        """
        for name, value in values.items():
            member_offset, member_format, member = self._members[name]
            position = offset + member_offset
            if member.format == "s":
                data[position : position + member.count] = value[
                    : member.count - 1
                ].ljust(member.count, b"\x00")
            else:
                struct.pack_into(member_format, data, position, value)

    def WriteDay(self, path, day, number_of_samples=SAMPLES_PER_DAY):
        """Writes the log of a day.

        Args:
          path (str): path of the log.
          day (int): number of the day, which is all that makes days different.
          number_of_samples (Optional[int]): number of samples.

        Returns:
          int: number of entries in the process lists.
        """
        random_source = random.Random(day)
        cgroup_values, cgroup_blocks = self._CreateCgroupBlocks()
        number_of_tasks = 0

        with open(path, "wb") as file_object:
            file_object.write(self._header)
            for index in range(number_of_samples):
                curtime = START_TIME + (day * SAMPLES_PER_DAY + index) * INTERVAL
                tasks = self._CreateTasks(random_source, index, curtime)
                compressed_tasks = zlib.compress(tasks)
                count = len(tasks) // self._size
                number_of_tasks += count
                system = random_source.choice(self._systems)

                flags = rawlog.FLAG_ACCOUNTING | rawlog.FLAG_IOSTAT
                if not index:
                    flags |= rawlog.FLAG_BOOT
                if cgroup_blocks:
                    flags |= rawlog.FLAG_CGROUPS

                nexit = NUMBER_OF_SHORT_LIVED if index else 0
                values = {
                    "curtime": curtime,
                    "flags": flags,
                    "interval": INTERVAL if index else 86400 * (day + 2),
                    "nactproc": NUMBER_OF_PROCESSES,
                    "ndeviat": count,
                    "nexit": nexit,
                    "ntask": count,
                    "pcomplen": len(compressed_tasks),
                    "scomplen": len(system),
                    "totproc": NUMBER_OF_PROCESSES + nexit,
                    "totrun": 2,
                    "totslpi": NUMBER_OF_PROCESSES + NUMBER_OF_THREADS - 2,
                    **cgroup_values,
                }
                record = log_builder.Pack(self._layout.rawrecord, values)
                file_object.write(record + system + compressed_tasks + cgroup_blocks)

        return number_of_tasks


def _WriteDay(arguments):
    """Writes the log of a day, in a process of its own.

    Args:
      arguments (tuple[str, str, int]): version, path and number of the day.

    Returns:
      int: number of entries in the process lists.
    """
    version, path, day = arguments
    return LogWriter(version).WriteDay(path, day)


def WriteDays(directory, version, number_of_days):
    """Writes the logs of consecutive days.

    Args:
      directory (str): path of the directory, which must not exist.
      version (str): version of atop, one of LOG_NAMES.
      number_of_days (int): number of days.

    Returns:
      tuple[list[str], list[int]]: paths of the logs and number of entries in the
          process lists of each.
    """
    os.makedirs(directory)
    paths = [
        os.path.join(directory, f"atop_{day:04d}") for day in range(number_of_days)
    ]
    with concurrent.futures.ProcessPoolExecutor() as executor:
        numbers_of_tasks = executor.map(
            _WriteDay, [(version, path, day) for day, path in enumerate(paths)]
        )
        return paths, list(numbers_of_tasks)


def JoinDays(path, day_paths):
    """Writes one log of consecutive days, as if it had not been rotated.

    Args:
      path (str): path of the log.
      day_paths (list[str]): paths of the logs of the days.
    """
    with open(path, "wb") as file_object:
        for day_path in day_paths:
            with open(day_path, "rb") as day_file_object:
                if file_object.tell():
                    log = rawlog.RawLog(day_file_object)
                    day_file_object.seek(log.layout.rawheader.size)
                shutil.copyfileobj(day_file_object, file_object)
