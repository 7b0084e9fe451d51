"""What atop 2.8 of Debian 12 records of a server, with process accounting.

The log is simpler than one of atop: threads have no entries of their own, and only
counters that say something about the case are set.
"""

import random
import types

import log_builder

KERNEL_RELEASE = "6.1.0-39-amd64"

_FLAGS = (
    log_builder.FLAG_ACCOUNTING | log_builder.FLAG_IOSTAT | log_builder.FLAG_CGROUPS
)
_HERTZ = 100
_NUMBER_OF_CPUS = 4
_PAGES_OF_MEMORY = (8 << 30) // 4096
_SECTOR_SIZE = 512


class Process(types.SimpleNamespace):
    """Process of the server, with the values of its entry in story.yaml.

    Attributes:
      end (float): time of the exit in seconds since the Epoch, None if it runs on.
      parent (Process): parent process, None if it has none.
      start (float): time of the start in seconds since the Epoch.
      user (tuple[int, int]): identifiers of user and group.
    """

    def IsAlive(self, time):
        """Determines if the process is alive at a time.

        Args:
          time (float): time in seconds since the Epoch.

        Returns:
          bool: True if the process is alive.
        """
        return self.start <= time and (not self.end or time < self.end)


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
    if process.change and time >= process.change_time:
        process = Process(**{**vars(process), **process.change})

    ppid = 0
    if process.parent:
        # An orphan becomes a child of init.
        ppid = process.parent.pid if process.parent.IsAlive(time) else 1

    # The noise depends on nothing but the process and the time.
    noise = random.Random(f"{process.pid:d} {time:f}").uniform(-1, 1)
    duration = time - max(previous_time, process.start)
    share = process.cpu * (1 + noise * process.variation)
    ticks = int(share * duration * _HERTZ)
    # A thread of the kernel never leaves it.
    system_ticks = int(ticks * process.system) if process.command else ticks

    entry = {
        "gen.tgid": process.pid,
        "gen.pid": process.pid,
        "gen.ppid": ppid,
        # The kernel keeps 15 bytes.
        "gen.name": process.name.encode("utf-8")[:15],
        "gen.isproc": 1,
        "gen.btime": int(process.start),
        "gen.ruid": process.user[0],
        "gen.rgid": process.user[1],
        "gen.nthr": process.number_of_threads,
        "gen.excode": log_builder.IS_NEW if is_new else 0,
        "cpu.utime": ticks - system_ticks,
        "cpu.stime": system_ticks,
    }
    if not is_alive:
        # What process accounting records, and the command line of the sample before.
        return {
            **entry,
            "gen.nthr": 1,
            "gen.state": b"E",
            "gen.excode": process.status | entry["gen.excode"],
            "gen.elaps": int((time - process.start) * _HERTZ),
            "gen.cmdline": b"" if is_new else process.command.encode("utf-8"),
        }

    is_running = process.cpu > 0.5
    resident_size = process.resident_size if process.command else 0
    return {
        **entry,
        **dict.fromkeys(("gen.euid", "gen.suid", "gen.fsuid"), process.user[0]),
        **dict.fromkeys(("gen.egid", "gen.sgid", "gen.fsgid"), process.user[1]),
        "gen.nthrrun": int(is_running),
        "gen.nthrslpi": process.number_of_threads - is_running,
        "gen.state": b"R" if is_running else b"S",
        "gen.cmdline": process.command.encode("utf-8"),
        "gen.cgpath": process.group.encode("utf-8"),
        "dsk.wsz": int(process.write_rate * duration) // _SECTOR_SIZE if ticks else 0,
        "mem.minflt": (ticks - system_ticks) * 3,
        "mem.rmem": resident_size,
        "mem.vmem": resident_size * 3,
    }


def _GetSystem(entries, interval, time):
    """Makes the system block of a sample.

    Args:
      entries (list[dict[str, object]]): entries of the processes.
      interval (int): length of the interval in seconds.
      time (int): time of the sample in seconds since the Epoch.

    Returns:
      dict[str, object]: values of members of the system block.
    """
    noise = random.Random(time).random()
    ticks = {
        "utime": sum(entry["cpu.utime"] for entry in entries),
        "stime": sum(entry["cpu.stime"] for entry in entries),
        "wtime": int(interval * (0.1 + noise / 4)),
        "Stime": int(interval * noise / 3),
    }
    idle_ticks = _NUMBER_OF_CPUS * interval * _HERTZ - sum(ticks.values())
    ticks["itime"] = max(idle_ticks, 0)
    load = sum(entry["gen.state"] == b"R" for entry in entries) + noise / 5
    used_pages = sum(entry.get("mem.rmem", 0) for entry in entries) >> 2
    packets = int(interval * (20 + 15 * noise))
    return {
        "cpu.nrcpu": _NUMBER_OF_CPUS,
        "cpu.nprocs": sum(entry["gen.excode"] < 0 for entry in entries),
        "cpu.lavg1": load,
        "cpu.lavg5": load * 0.97,
        "cpu.lavg15": load * 0.92,
        "cpu.all": ticks,
        "mem.physmem": _PAGES_OF_MEMORY,
        "mem.freemem": _PAGES_OF_MEMORY // 3 - used_pages // 4,
        "mem.cachemem": _PAGES_OF_MEMORY // 3,
        "mem.totswap": 1 << 18,
        "mem.freeswap": 1 << 18,
        "net.ipv4": dict.fromkeys(("InReceives", "InDelivers", "OutRequests"), packets),
        "net.tcp": dict.fromkeys(("InSegs", "OutSegs"), packets),
        "net.tcp.CurrEstab": 9 + int(noise * 10),
        "intf.nrintf": 1,
        "intf.intf": {"name": b"ens3", "type": b"e", "duplex": 1, "speed": 1000},
        "intf.intf.rbyte": packets * 310,
        "intf.intf.rpack": packets,
        "intf.intf.sbyte": packets * 1120,
        "intf.intf.spack": packets,
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
        # Exited processes come last, in the order of their exits.
        exited = [
            process
            for process in sorted(processes, key=lambda process: process.end or 0)
            if 0 < previous_time < (process.end or 0) <= time
        ]
        entries = [_GetEntry(item, previous_time, time) for item in alive + exited]
        interval = time - (previous_time or boot_time)
        builder.AddSample(
            time,
            interval=interval,
            flags=_FLAGS if previous_time else _FLAGS | log_builder.FLAG_BOOT,
            system=_GetSystem(entries, interval, time),
            tasks=entries,
            totrun=sum(entry.get("gen.nthrrun", 0) for entry in entries),
            totslpi=sum(entry.get("gen.nthrslpi", 0) for entry in entries),
        )
        previous_time = time

    return builder.Build()
