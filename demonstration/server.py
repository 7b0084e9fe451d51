"""What atop 2.8 of Debian 12 records of a server, with process accounting."""

import dataclasses
import random

import log_builder

HERTZ = 100
KERNEL_RELEASE = "6.1.0-39-amd64"

_FLAGS = (
    log_builder.FLAG_ACCOUNTING | log_builder.FLAG_IOSTAT | log_builder.FLAG_CGROUPS
)
_NUMBER_OF_CPUS = 4
_PAGES_OF_MEMORY = (8 << 30) // 4096
_SECTOR_SIZE = 512

# Members of an entry: identifiers, which atop does not know after an exit, limits that
# are not set, and counters of a thread.
_USER_MEMBERS = ("gen.euid", "gen.suid", "gen.fsuid")
_GROUP_MEMBERS = ("gen.egid", "gen.sgid", "gen.fsgid")
_LIMITS = (
    "cpu.cgcpumax cpu.cgcpumaxr mem.cgmemmax mem.cgmemmaxr mem.cgswpmax mem.cgswpmaxr"
).split()
_COUNTERS = ("cpu.utime", "cpu.stime", "dsk.wio", "dsk.wsz", "mem.minflt")


@dataclasses.dataclass(eq=False)
class Process:
    """Process of the server.

    Attributes:
      parent (Process): parent process, None if it has none.
      name (str): name.
      command (str): command line, empty for a thread of the kernel.
      start (float): time of the start in seconds since the Epoch.
      end (float): time of the exit in seconds since the Epoch, None if it runs on.
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
    command: str
    start: float
    end: float
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
        ticks = int(share * (end_time - max(start_time, self.start)) * HERTZ)

        # A thread of the kernel never leaves it.
        system_ticks = ticks if not self.command else int(ticks * self.system)
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
        return self.start <= time and (not self.end or time < self.end)


FIELDS = {field.name for field in dataclasses.fields(Process)}


def _GetEntry(process, previous_time, time):
    """Makes the entry of a process that is alive, or that exited since a sample.

    Args:
      process (Process): process.
      previous_time (int): time of the previous sample in seconds since the Epoch, 0 if
          there is none.
      time (int): time of the sample in seconds since the Epoch.

    Returns:
      dict[str, object]: values of members of the entry.
    """
    is_alive = process.IsAlive(time)
    is_new = not previous_time or not process.IsAlive(previous_time)
    time = time if is_alive else process.end
    ppid = 0
    if process.parent:
        # An orphan becomes a child of init.
        ppid = process.parent.pid if process.parent.IsAlive(time) else 1
    user, group = process.GetValue("user", time)
    user_ticks, system_ticks = process.GetTicks(previous_time, time)
    entry = {
        "gen.tgid": process.pid,
        "gen.pid": process.pid,
        "gen.ppid": ppid,
        # The kernel keeps 15 bytes.
        "gen.name": process.GetValue("name", time).encode("utf-8")[:15],
        "gen.isproc": 1,
        "gen.btime": int(process.start),
        "gen.ruid": user,
        "gen.rgid": group,
        "gen.excode": log_builder.IS_NEW if is_new else 0,
        "cpu.utime": user_ticks,
        "cpu.stime": system_ticks,
    }
    if not is_alive:
        # What process accounting records, and the command line of the sample before.
        command = "" if is_new else process.GetValue("command", previous_time)
        return {
            **entry,
            "gen.nthr": 1,
            "gen.state": b"E",
            "gen.excode": process.status | entry["gen.excode"],
            "gen.elaps": int((time - process.start) * HERTZ),
            "gen.cmdline": command.encode("utf-8"),
            "cpu.curcpu": -1,
        }

    is_active = user_ticks > 0 or system_ticks > 0
    is_running = process.cpu > 0.5
    resident_size = process.resident_size if process.command else 0
    duration = time - max(previous_time, process.start)
    sectors = int(process.write_rate * duration) // _SECTOR_SIZE if is_active else 0
    return {
        **entry,
        **dict.fromkeys(_USER_MEMBERS, user),
        **dict.fromkeys(_GROUP_MEMBERS, group),
        **dict.fromkeys(_LIMITS, -1),
        "gen.nthr": process.number_of_threads,
        "gen.nthrrun": int(is_running),
        "gen.nthrslpi": process.number_of_threads - is_running,
        "gen.state": b"R" if is_running else b"S",
        "gen.cmdline": process.GetValue("command", time).encode("utf-8"),
        "gen.wasinactive": not (is_new or is_active),
        "gen.cgpath": process.group.encode("utf-8"),
        "cpu.prio": 120,
        "cpu.curcpu": process.pid % _NUMBER_OF_CPUS,
        "cpu.cgcpuweight": 100,
        "dsk.wio": sectors,
        "dsk.wsz": sectors,
        "mem.minflt": user_ticks * 3,
        "mem.rmem": resident_size,
        "mem.vmem": resident_size * 3,
        "mem.rgrow": resident_size if is_new else 0,
        "mem.vgrow": resident_size * 3 if is_new else 0,
    }


def _GetThreads(entry):
    """Makes the entries of the threads of a process.

    Args:
      entry (dict[str, object]): entry of the process.

    Returns:
      list[dict[str, object]]: values of members of each entry, none if it has one.
    """
    if entry["gen.nthr"] == 1:
        return []
    idle_thread = {
        **entry,
        **dict.fromkeys(_COUNTERS, 0),
        **dict.fromkeys(("gen.cmdline", "gen.cgpath"), b""),
        "gen.isproc": 0,
        "gen.nthr": 1,
        "gen.nthrrun": 0,
        "gen.nthrslpi": 1,
        "gen.state": b"S",
        "gen.wasinactive": not entry["gen.excode"],
    }
    threads = [
        {**idle_thread, "gen.pid": entry["gen.pid"] + index}
        for index in range(entry["gen.nthr"])
    ]
    # The second one does the work.
    threads[1].update((name, entry[name]) for name in _COUNTERS)
    threads[1]["gen.nthrrun"] = entry["gen.nthrrun"]
    threads[1]["gen.nthrslpi"] = 1 - entry["gen.nthrrun"]
    threads[1]["gen.state"] = entry["gen.state"]
    threads[1]["gen.wasinactive"] = entry["gen.wasinactive"]
    return threads


def _GetSystem(processes, interval, time, number_of_processes):
    """Makes the system block of a sample.

    Args:
      processes (list[dict[str, object]]): entries of the processes.
      interval (int): length of the interval in seconds.
      time (int): time of the sample in seconds since the Epoch.
      number_of_processes (int): number of processes started in the interval.

    Returns:
      dict[str, object]: values of members of the system block.
    """
    noise = random.Random(time).random()
    ticks = {
        "utime": sum(entry["cpu.utime"] for entry in processes),
        "stime": sum(entry["cpu.stime"] for entry in processes),
        "wtime": int(interval * (0.1 + noise / 4)),
        "Stime": int(interval * noise / 3),
    }
    idle_ticks = _NUMBER_OF_CPUS * interval * HERTZ - sum(ticks.values())
    ticks["itime"] = max(idle_ticks, 0)
    cpu = {name: value // _NUMBER_OF_CPUS for name, value in ticks.items()}
    load = sum(entry["gen.state"] == b"R" for entry in processes) + noise / 5
    pages = _PAGES_OF_MEMORY
    used_pages = sum(entry.get("mem.rmem", 0) for entry in processes) >> 2
    sectors = sum(entry.get("dsk.wsz", 0) for entry in processes)
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
        "cpu.cpu": [{"cpunr": number, **cpu} for number in range(_NUMBER_OF_CPUS)],
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
            **{"name": b"ens3", "type": b"e", "duplex": 1, "speed": 1000},
            **{"rbyte": packets * 310, "rpack": packets},
            **{"sbyte": packets * 1120, "spack": packets},
        },
        "dsk.ndsk": 1,
        "dsk.dsk": {
            **{"name": b"vda", "nwrite": sectors // 20, "nwsect": sectors},
            **{"io_ms": sectors // 9, "ndisc": -1},
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
        supportflags=0x0035 | log_builder.FLAG_CGROUPS,
        utsname={
            "sysname": b"Linux",
            "nodename": hostname.encode("utf-8"),
            "release": KERNEL_RELEASE.encode("ascii"),
            "version": b"#1 SMP PREEMPT_DYNAMIC Debian 6.1.148-1 (2025-08-26)",
            "machine": b"x86_64",
        },
    )
    processes = sorted(processes, key=lambda process: process.pid)
    previous_time = 0
    for time in times:
        alive = [process for process in processes if process.IsAlive(time)]
        exited = [
            process
            for process in processes
            if process.end and 0 < previous_time < process.end <= time
        ]
        exited.sort(key=lambda process: process.end)
        entries = [_GetEntry(item, previous_time, time) for item in (*alive, *exited)]
        tasks = [task for entry in entries for task in (entry, *_GetThreads(entry))]
        interval = time - (previous_time or boot_time)
        started = [item for item in processes if previous_time < item.start <= time]
        builder.AddSample(
            time,
            interval=interval,
            flags=_FLAGS if previous_time else _FLAGS | log_builder.FLAG_BOOT,
            system=_GetSystem(entries, interval, time, len(started)),
            tasks=tasks,
            nactproc=sum(not entry.get("gen.wasinactive") for entry in entries),
            totrun=sum(entry.get("gen.nthrrun", 0) for entry in entries),
            totslpi=sum(entry.get("gen.nthrslpi", 0) for entry in entries),
        )
        previous_time = time

    return builder.Build()
