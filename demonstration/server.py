"""What atop 2.8 of Debian 12 records of a server, with process accounting."""

import dataclasses
import random

import log_builder

from plaso_atop import rawlog

HERTZ = 100

KERNEL_RELEASE = "6.1.0-39-amd64"

# Attributes of a process that a story may give.
VALUES = (
    "cpu number_of_threads pid resident_size status system variation write_rate".split()
)

_NUMBER_OF_CPUS = 4
_PAGE_SIZE = 4096
_PHYSICAL_MEMORY = 8 << 30
_SECTOR_SIZE = 512

# Members of an entry: identifiers of the user and the group, limits that are not set,
# and counters, which only the thread has that does the work.
_USER_MEMBERS = "gen.ruid gen.euid gen.suid gen.fsuid".split()
_GROUP_MEMBERS = "gen.rgid gen.egid gen.sgid gen.fsgid".split()
_LIMITS = (
    "cpu.cgcpumax cpu.cgcpumaxr mem.cgmemmax mem.cgmemmaxr mem.cgswpmax mem.cgswpmaxr"
).split()
_COUNTERS = "cpu.utime cpu.stime dsk.wio dsk.wsz mem.minflt".split()


@dataclasses.dataclass(eq=False)
class Process:
    """Process of the server.

    Attributes:
      parent (Process): parent process, None if it has none.
      name (str): name.
      command_line (str): command line, empty for a thread of the kernel.
      start_time (float): time of the start in seconds since the Epoch.
      end_time (float): time of the exit in seconds since the Epoch, None if it is still
          running.
      group (str): path of the control group.
      user (tuple[int, int]): identifiers of user and group.
      change (dict[str, object]): attributes that have another value after a change.
      change_time (float): time of that change in seconds since the Epoch.
      cpu (float): share of a CPU that it uses.
      number_of_threads (int): number of threads.
      pid (int): process identifier, 0 until one is assigned.
      resident_size (int): size of resident memory in KiB.
      status (int): exit status as of wait(2).
      system (float): share of its CPU time that it spends in the kernel.
      variation (float): by how much of the share of a CPU the use varies.
      write_rate (int): bytes written to disk per second.
    """

    # pylint: disable=too-many-instance-attributes

    parent: object
    name: str
    command_line: str
    start_time: float
    end_time: float
    group: str
    user: tuple
    change: dict = dataclasses.field(default_factory=dict)
    change_time: float = 0.0
    cpu: float = 0.0
    number_of_threads: int = 1
    pid: int = 0
    resident_size: int = 4200
    status: int = 0
    system: float = 0.2
    variation: float = 1.0
    write_rate: int = 0

    def GetIdentity(self, time):
        """Retrieves the members of an entry that say who the process is.

        Args:
          time (float): time in seconds since the Epoch.

        Returns:
          dict[str, object]: values of the members.
        """
        ppid = 0
        if self.parent:
            # An orphan becomes a child of init.
            # pylint: disable-next=no-member
            ppid = self.parent.pid if self.parent.IsAlive(time) else 1
        return {
            "gen.tgid": self.pid,
            "gen.pid": self.pid,
            "gen.ppid": ppid,
            # The kernel keeps 15 bytes.
            "gen.name": self.GetValue("name", time).encode("utf-8")[:15],
            "gen.isproc": 1,
            "gen.btime": int(self.start_time),
        }

    def GetTicks(self, start_time, end_time):
        """Determines the CPU time that a process uses in an interval.

        Args:
          start_time (float): start of the interval in seconds since the Epoch.
          end_time (float): end of the interval in seconds since the Epoch.

        Returns:
          tuple[int, int]: clock ticks in the program and in the kernel.
        """
        # Depends on nothing but the process and the time.
        noise = random.Random(f"{self.pid:d} {end_time:f}").uniform(-1, 1)
        share = self.cpu * (1 + noise * self.variation)
        start_time = max(start_time, self.start_time)
        end_time = min(end_time, self.end_time or end_time)
        ticks = int(share * (end_time - start_time) * HERTZ)

        # A thread of the kernel never leaves it.
        system_ticks = ticks if not self.command_line else int(ticks * self.system)
        return ticks - system_ticks, system_ticks

    def GetValue(self, name, time):
        """Retrieves an attribute as it is at a time.

        Args:
          name (str): name of an attribute.
          time (float): time in seconds since the Epoch.

        Returns:
          object: value.
        """
        value = getattr(self, name)
        return self.change.get(name, value) if time >= self.change_time else value

    def IsAlive(self, time):
        """Determines if the process is alive at a time.

        Args:
          time (float): time in seconds since the Epoch.

        Returns:
          bool: True if the process is alive.
        """
        has_ended = self.end_time is not None and self.end_time <= time
        return self.start_time <= time and not has_ended


def AssignPids(processes, first_pid):
    """Assigns identifiers to the processes that have none, as a kernel does.

    Args:
      processes (list[Process]): processes.
      first_pid (int): first process identifier.
    """
    pid = first_pid
    gaps = random.Random(first_pid)
    for process in sorted(processes, key=lambda process: process.start_time):
        if not process.pid:
            process.pid = pid
            pid += process.number_of_threads + gaps.choice((0, 0, 0, 1, 2))


def _GetExit(process, previous_time):
    """Makes the entry of an exit, which is what process accounting records.

    Args:
      process (Process): process.
      previous_time (float): time of the previous sample in seconds since the Epoch.

    Returns:
      dict[str, object]: values of members of the entry.
    """
    is_new = not process.IsAlive(previous_time)
    command_line = process.GetValue("command_line", previous_time)
    user_identifier, group_identifier = process.GetValue("user", process.end_time)
    user_ticks, system_ticks = process.GetTicks(previous_time, process.end_time)
    return {
        **process.GetIdentity(process.end_time),
        "gen.ruid": user_identifier,
        "gen.rgid": group_identifier,
        "gen.nthr": 1,
        "gen.state": b"E",
        "gen.excode": process.status | (log_builder.IS_NEW if is_new else 0),
        "gen.elaps": int((process.end_time - process.start_time) * HERTZ),
        "gen.cmdline": b"" if is_new else command_line.encode("utf-8"),
        "cpu.utime": user_ticks,
        "cpu.stime": system_ticks,
        "cpu.curcpu": -1,
    }


def _GetLiving(process, previous_time, time):
    """Makes the entries of a living process and of its threads.

    Args:
      process (Process): process.
      previous_time (float): time of the previous sample in seconds since the Epoch, 0
          if this is the first one.
      time (float): time of the sample in seconds since the Epoch.

    Returns:
      list[dict[str, object]]: values of members of each entry.
    """
    is_new = not previous_time or not process.IsAlive(previous_time)
    is_running = process.cpu > 0.5
    resident_size = process.resident_size if process.command_line else 0
    user_identifier, group_identifier = process.GetValue("user", time)
    user_ticks, system_ticks = process.GetTicks(previous_time, time)
    written_sectors = 0
    if user_ticks or system_ticks:
        duration = time - max(previous_time, process.start_time)
        written_sectors = int(process.write_rate * duration) // _SECTOR_SIZE

    values = {
        **process.GetIdentity(time),
        **dict.fromkeys(_USER_MEMBERS, user_identifier),
        **dict.fromkeys(_GROUP_MEMBERS, group_identifier),
        **dict.fromkeys(_LIMITS, -1),
        "gen.nthr": process.number_of_threads,
        "gen.nthrrun": int(is_running),
        "gen.nthrslpi": process.number_of_threads - is_running,
        "gen.state": b"R" if is_running else b"S",
        "gen.excode": log_builder.IS_NEW if is_new else 0,
        "gen.cmdline": process.GetValue("command_line", time).encode("utf-8"),
        "gen.wasinactive": not (is_new or user_ticks or system_ticks),
        "gen.cgpath": process.group.encode("utf-8"),
        "cpu.utime": user_ticks,
        "cpu.stime": system_ticks,
        "cpu.prio": 120,
        "cpu.curcpu": process.pid % _NUMBER_OF_CPUS,
        "cpu.cgcpuweight": 100,
        "dsk.wio": written_sectors,
        "dsk.wsz": written_sectors,
        "mem.minflt": user_ticks * 3,
        "mem.rmem": resident_size,
        "mem.vmem": resident_size * 3,
        "mem.rgrow": resident_size if is_new else 0,
        "mem.vgrow": resident_size * 3 if is_new else 0,
    }
    entries = [values]
    for index in range(
        process.number_of_threads if process.number_of_threads > 1 else 0
    ):
        # The second one does the work.
        is_worker = index == 1
        is_busy = is_running and is_worker
        thread = {
            **values,
            "gen.pid": process.pid + index,
            "gen.nthr": 1,
            "gen.nthrrun": int(is_busy),
            "gen.nthrslpi": int(not is_busy),
            "gen.isproc": 0,
            "gen.state": b"R" if is_busy else b"S",
            "gen.cmdline": b"",
            "gen.cgpath": b"",
        }
        if not is_worker:
            thread.update(dict.fromkeys(_COUNTERS, 0))
            thread["gen.wasinactive"] = not is_new
        entries.append(thread)
    return entries


def _GetSystem(tasks, interval, time, number_of_processes):
    """Makes the system block of a sample.

    Args:
      tasks (list[dict[str, object]]): values of members of the process list.
      interval (int): length of the interval in seconds.
      time (int): time of the sample in seconds since the Epoch.
      number_of_processes (int): number of processes started in the interval.

    Returns:
      dict[str, object]: values of members of the system block.
    """
    noise = random.Random(time).random()
    processes = [values for values in tasks if values["gen.isproc"]]
    ticks = {
        "utime": sum(values["cpu.utime"] for values in processes),
        "stime": sum(values["cpu.stime"] for values in processes),
        "wtime": int(interval * (0.1 + noise / 4)),
        "Stime": int(interval * noise / 3),
    }
    idle_ticks = _NUMBER_OF_CPUS * interval * HERTZ - sum(ticks.values())
    ticks["itime"] = max(idle_ticks, 0)
    ticks_per_cpu = {name: value // _NUMBER_OF_CPUS for name, value in ticks.items()}

    load = sum(values["gen.state"] == b"R" for values in processes) + noise / 5
    used_pages = sum(values.get("mem.rmem", 0) for values in processes) >> 2
    pages = _PHYSICAL_MEMORY // _PAGE_SIZE
    written_sectors = sum(values.get("dsk.wsz", 0) for values in processes)
    packets = int(interval * (20 + 15 * noise))
    return {
        "cpu.nrcpu": _NUMBER_OF_CPUS,
        "cpu.devint": interval * 700,
        "cpu.csw": interval * 1300,
        "cpu.nprocs": number_of_processes,
        "cpu.lavg1": load,
        "cpu.lavg5": load * 0.97,
        "cpu.lavg15": load * 0.92,
        "cpu.all": ticks,
        "cpu.cpu": [
            {"cpunr": number, **ticks_per_cpu} for number in range(_NUMBER_OF_CPUS)
        ],
        "mem.physmem": pages,
        "mem.freemem": pages // 3 - used_pages // 4,
        "mem.cachemem": pages // 3,
        "mem.buffermem": pages // 50,
        "mem.slabmem": pages // 40,
        "mem.slabreclaim": pages // 60,
        "mem.totswap": 1 << 18,
        "mem.freeswap": 1 << 18,
        "mem.committed": used_pages * 2,
        "mem.commitlim": pages,
        "net.ipv4": dict.fromkeys(("InReceives", "InDelivers", "OutRequests"), packets),
        "net.tcp.PassiveOpens": packets // 12,
        "net.tcp.CurrEstab": 9 + int(noise * 10),
        "net.tcp.InSegs": packets,
        "net.tcp.OutSegs": packets,
        "intf.nrintf": 1,
        "intf.intf": {
            "name": b"ens3",
            "type": b"e",
            "rbyte": packets * 310,
            "rpack": packets,
            "sbyte": packets * 1120,
            "spack": packets,
            "duplex": 1,
            "speed": 1000,
        },
        "dsk.ndsk": 1,
        "dsk.dsk": {
            "name": b"vda",
            "nwrite": written_sectors // 20,
            "nwsect": written_sectors,
            "io_ms": written_sectors // 9,
            "ndisc": -1,
        },
        "psi.present": 1,
        "psi.cpusome.total": int(interval * load * 900),
        "psi.iosome.total": int(interval * noise * 700),
    }


def GetLog(hostname, boot_time, processes, times):
    """Makes the log of a run of atop.

    Args:
      hostname (str): name of the host.
      boot_time (int): time of the boot in seconds since the Epoch.
      processes (list[Process]): processes.
      times (list[int]): times of the samples in seconds since the Epoch.

    Returns:
      bytes: contents of the log.
    """
    builder = log_builder.LogBuilder(
        version="2.8",
        hertz=HERTZ,
        pidwidth=7,
        supportflags=0x0035 | rawlog.FLAG_CGROUPS,
        utsname={
            "sysname": b"Linux",
            "nodename": hostname.encode("utf-8"),
            "release": KERNEL_RELEASE.encode("ascii"),
            "version": b"#1 SMP PREEMPT_DYNAMIC Debian 6.1.148-1 (2025-08-26)",
            "machine": b"x86_64",
        },
    )
    flags = rawlog.FLAG_ACCOUNTING | rawlog.FLAG_IOSTAT | rawlog.FLAG_CGROUPS
    previous_time = 0
    processes = sorted(processes, key=lambda process: process.pid)
    for time in times:
        tasks = []
        for process in processes:
            if process.IsAlive(time):
                tasks.extend(_GetLiving(process, previous_time, time))
        living = [values for values in tasks if values["gen.isproc"]]

        # Exited processes come last, in the order of their exits.
        exited = [
            process
            for process in processes
            if process.end_time and 0 < previous_time < process.end_time <= time
        ]
        exited.sort(key=lambda process: process.end_time)
        tasks.extend(_GetExit(process, previous_time) for process in exited)

        interval = time - (previous_time or boot_time)
        number_of_processes = sum(
            previous_time < process.start_time <= time for process in processes
        )
        builder.AddSample(
            time,
            interval=interval,
            flags=flags if previous_time else flags | rawlog.FLAG_BOOT,
            system=_GetSystem(tasks, interval, time, number_of_processes),
            tasks=tasks,
            nactproc=len(exited)
            + sum(not values["gen.wasinactive"] for values in living),
            totrun=sum(values["gen.nthrrun"] for values in living),
            totslpi=sum(values["gen.nthrslpi"] for values in living),
        )
        previous_time = time

    return builder.Build()
