"""Server whose processes atop records, for the log of what a story tells."""

import dataclasses
import random

from plaso_atop import rawlog

import log_builder

HERTZ = 100

KERNEL_RELEASE = "6.1.0-39-amd64"

# Flag of the header for control groups, and bit of an exit status for what atop did not
# know in the sample before.
_FLAG_CGROUPS = 0x0100
_IS_NEW = -(1 << 31)

# Attributes of a process that a story may give.
VALUES = (
    "cpu number_of_threads pid resident_size status system variation write_rate".split()
)

_PAGE_SIZE = 4096
_SECTOR_SIZE = 512


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
      pid (int): process identifier, 0 until the server assigns one.
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

    def GetParentPid(self, time):
        """Determines the identifier of the parent process.

        Args:
          time (float): time in seconds since the Epoch.

        Returns:
          int: identifier, that of init if the parent process has exited.
        """
        if not self.parent:
            return 0
        return self.parent.pid if self.parent.IsAlive(time) else 1

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
        return self.start_time <= time and (
            self.end_time is None or self.end_time > time
        )


class Server:
    """Server, with atop 2.8 of Debian 12 and process accounting.

    Attributes:
      boot_time (int): time of the boot in seconds since the Epoch.
      hostname (str): name of the host.
      processes (list[Process]): processes.
    """

    _NUMBER_OF_CPUS = 4
    _PHYSICAL_MEMORY = 8 << 30

    def __init__(self, hostname, boot_time):
        """Initializes a server.

        Args:
          hostname (str): name of the host.
          boot_time (int): time of the boot in seconds since the Epoch.
        """
        super().__init__()
        self.boot_time = boot_time
        self.hostname = hostname
        self.processes = []

    def _GetExit(self, process, previous_time):
        """Makes the entry of an exit, which is what process accounting tells of it.

        Args:
          process (Process): process.
          previous_time (float): time of the previous sample in seconds since the Epoch.

        Returns:
          dict[str, object]: values of members of the entry.
        """
        is_new = not process.IsAlive(previous_time)
        command_line = ""
        if not is_new:
            command_line = process.GetValue("command_line", previous_time)

        user_identifier, group_identifier = process.GetValue("user", process.end_time)
        user_ticks, system_ticks = process.GetTicks(previous_time, process.end_time)
        return {
            "gen.tgid": process.pid,
            "gen.pid": process.pid,
            "gen.ppid": process.GetParentPid(process.end_time),
            "gen.ruid": user_identifier,
            "gen.rgid": group_identifier,
            "gen.nthr": 1,
            "gen.name": self._GetName(process, process.end_time),
            "gen.isproc": 1,
            "gen.state": b"E",
            "gen.excode": process.status | (_IS_NEW if is_new else 0),
            "gen.btime": int(process.start_time),
            "gen.elaps": int((process.end_time - process.start_time) * HERTZ),
            "gen.cmdline": command_line.encode("utf-8"),
            "cpu.utime": user_ticks,
            "cpu.stime": system_ticks,
            "cpu.curcpu": -1,
        }

    def _GetLiving(self, process, previous_time, time):
        """Makes the entries of a living process and of its threads.

        Args:
          process (Process): process.
          previous_time (float): time of the previous sample in seconds since the Epoch,
              0 if this is the first one.
          time (float): time of the sample in seconds since the Epoch.

        Returns:
          list[dict[str, object]]: values of members of each entry.
        """
        is_new = not previous_time or not process.IsAlive(previous_time)
        resident_size = process.resident_size if process.command_line else 0
        virtual_size = resident_size * 3
        user_identifier, group_identifier = process.GetValue("user", time)
        user_ticks, system_ticks = process.GetTicks(previous_time, time)
        written_sectors = 0
        if user_ticks or system_ticks:
            duration = time - max(previous_time, process.start_time)
            written_sectors = int(process.write_rate * duration) // _SECTOR_SIZE

        is_running = process.cpu > 0.5
        values = {
            "gen.tgid": process.pid,
            "gen.pid": process.pid,
            "gen.ppid": process.GetParentPid(time),
            "gen.nthr": process.number_of_threads,
            "gen.nthrrun": 1 if is_running else 0,
            "gen.nthrslpi": process.number_of_threads - (1 if is_running else 0),
            "gen.name": self._GetName(process, time),
            "gen.isproc": 1,
            "gen.state": b"R" if is_running else b"S",
            "gen.excode": _IS_NEW if is_new else 0,
            "gen.btime": int(process.start_time),
            "gen.cmdline": process.GetValue("command_line", time).encode("utf-8"),
            "gen.wasinactive": not (is_new or user_ticks or system_ticks),
            "gen.cgpath": process.group.encode("utf-8"),
            "cpu.utime": user_ticks,
            "cpu.stime": system_ticks,
            "cpu.prio": 120,
            "cpu.curcpu": process.pid % self._NUMBER_OF_CPUS,
            "cpu.cgcpuweight": 100,
            "cpu.cgcpumax": -1,
            "cpu.cgcpumaxr": -1,
            "dsk.wio": written_sectors,
            "dsk.wsz": written_sectors,
            "mem.minflt": user_ticks * 3,
            "mem.rmem": resident_size,
            "mem.vmem": virtual_size,
            "mem.rgrow": resident_size if is_new else 0,
            "mem.vgrow": virtual_size if is_new else 0,
            "mem.cgmemmax": -1,
            "mem.cgmemmaxr": -1,
            "mem.cgswpmax": -1,
            "mem.cgswpmaxr": -1,
        }
        values.update(
            {f"gen.{name:s}": user_identifier for name in ("ruid", "euid", "suid")}
        )
        values.update(
            {f"gen.{name:s}": group_identifier for name in ("rgid", "egid", "sgid")}
        )
        values.update({"gen.fsuid": user_identifier, "gen.fsgid": group_identifier})

        entries = [values]
        if process.number_of_threads > 1:
            for index in range(process.number_of_threads):
                # The second one does the work.
                is_worker = index == 1
                thread = {
                    **values,
                    "gen.pid": process.pid + index,
                    "gen.nthr": 1,
                    "gen.nthrrun": int(is_running and is_worker),
                    "gen.nthrslpi": int(not (is_running and is_worker)),
                    "gen.isproc": 0,
                    "gen.state": b"R" if is_running and is_worker else b"S",
                    "gen.cmdline": b"",
                    "gen.cgpath": b"",
                    "gen.wasinactive": not is_new,
                }
                if is_worker:
                    thread["gen.wasinactive"] = values["gen.wasinactive"]
                else:
                    thread.update(
                        {
                            name: 0
                            for name in (
                                "cpu.utime",
                                "cpu.stime",
                                "dsk.wio",
                                "dsk.wsz",
                                "mem.minflt",
                            )
                        }
                    )
                entries.append(thread)
        return entries

    def _GetName(self, process, time):
        """Makes the name of a process, of which the kernel keeps 15 bytes.

        Args:
          process (Process): process.
          time (float): time in seconds since the Epoch.

        Returns:
          bytes: name.
        """
        return process.GetValue("name", time).encode("utf-8")[:15]

    def _GetSystem(self, tasks, interval, time, number_of_processes):
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
        user_ticks = sum(values["cpu.utime"] for values in processes)
        system_ticks = sum(values["cpu.stime"] for values in processes)
        wait_ticks = int(interval * (0.1 + noise / 4))
        ticks = {
            "utime": user_ticks,
            "stime": system_ticks,
            "wtime": wait_ticks,
            "Stime": int(interval * noise / 3),
        }
        idle_ticks = self._NUMBER_OF_CPUS * interval * HERTZ - sum(ticks.values())
        ticks["itime"] = max(idle_ticks, 0)

        load = sum(values["gen.state"] == b"R" for values in processes) + noise / 5
        used_pages = sum(values.get("mem.rmem", 0) for values in processes) >> 2
        pages = self._PHYSICAL_MEMORY // _PAGE_SIZE
        written_sectors = sum(values.get("dsk.wsz", 0) for values in processes)
        packets = int(interval * (20 + 15 * noise))
        return {
            "cpu.nrcpu": self._NUMBER_OF_CPUS,
            "cpu.devint": interval * 700,
            "cpu.csw": interval * 1300,
            "cpu.nprocs": number_of_processes,
            "cpu.lavg1": load,
            "cpu.lavg5": load * 0.97,
            "cpu.lavg15": load * 0.92,
            "cpu.all": ticks,
            "cpu.cpu": [
                {
                    "cpunr": number,
                    **{name: value // 4 for name, value in ticks.items()},
                }
                for number in range(self._NUMBER_OF_CPUS)
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
            "mem.oomkills": 0,
            "net.ipv4": {
                "InReceives": packets,
                "InDelivers": packets,
                "OutRequests": packets,
            },
            "net.tcp": {
                "PassiveOpens": packets // 12,
                "CurrEstab": 9 + int(noise * 10),
                "InSegs": packets,
                "OutSegs": packets,
            },
            "intf.nrintf": 1,
            "intf.intf": [
                {
                    "name": b"ens3",
                    "type": b"e",
                    "rbyte": packets * 310,
                    "rpack": packets,
                    "sbyte": packets * 1120,
                    "spack": packets,
                    "duplex": 1,
                    "speed": 1000,
                }
            ],
            "dsk.ndsk": 1,
            "dsk.dsk": [
                {
                    "name": b"vda",
                    "nwrite": written_sectors // 20,
                    "nwsect": written_sectors,
                    "io_ms": written_sectors // 9,
                    "ndisc": -1,
                }
            ],
            "psi": {
                "present": 1,
                "cpusome": {"total": int(interval * load * 900)},
                "iosome": {"total": int(interval * noise * 700)},
            },
        }

    def AssignPids(self, first_pid):
        """Assigns identifiers to the processes that have none, as a kernel does.

        Args:
          first_pid (int): first process identifier.
        """
        pid = first_pid
        gaps = random.Random(first_pid)
        for process in sorted(self.processes, key=lambda process: process.start_time):
            if not process.pid:
                process.pid = pid
                pid += process.number_of_threads + gaps.choice((0, 0, 0, 1, 2))

    def GetLog(self, times):
        """Makes the log of a run of atop.

        Args:
          times (list[int]): times of the samples in seconds since the Epoch.

        Returns:
          bytes: contents of the log.
        """
        builder = log_builder.LogBuilder(
            version="2.8",
            hertz=HERTZ,
            pidwidth=7,
            supportflags=0x0035 | _FLAG_CGROUPS,
            utsname={
                "sysname": b"Linux",
                "nodename": self.hostname.encode("utf-8"),
                "release": KERNEL_RELEASE.encode("ascii"),
                "version": b"#1 SMP PREEMPT_DYNAMIC Debian 6.1.148-1 (2025-08-26)",
                "machine": b"x86_64",
            },
        )
        previous_time = 0
        processes = sorted(self.processes, key=lambda process: process.pid)
        for time in times:
            tasks = []
            number_of_processes = 0
            for process in processes:
                number_of_processes += previous_time < process.start_time <= time
                if process.IsAlive(time):
                    tasks.extend(self._GetLiving(process, previous_time, time))

            # Exited processes come last, in the order of their exits.
            exited = [
                process
                for process in processes
                if process.end_time and 0 < previous_time < process.end_time <= time
            ]
            exited.sort(key=lambda process: process.end_time)
            tasks.extend(self._GetExit(process, previous_time) for process in exited)

            interval = time - (previous_time or self.boot_time)
            flags = rawlog.FLAG_ACCOUNTING | rawlog.FLAG_IOSTAT | rawlog.FLAG_CGROUPS
            living = [
                values
                for values in tasks
                if values["gen.isproc"] and values["gen.state"] != b"E"
            ]
            builder.AddSample(
                time,
                interval=interval,
                flags=flags if previous_time else flags | rawlog.FLAG_BOOT,
                system=self._GetSystem(tasks, interval, time, number_of_processes),
                tasks=tasks,
                nactproc=sum(
                    not values.get("gen.wasinactive")
                    for values in tasks
                    if values["gen.isproc"]
                ),
                totrun=sum(values["gen.nthrrun"] for values in living),
                totslpi=sum(values["gen.nthrslpi"] for values in living),
            )
            previous_time = time

        return builder.Build()
