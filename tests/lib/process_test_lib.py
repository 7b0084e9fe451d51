"""Shared functions and classes for testing the process plugin."""

from plaso_atop import layouts
from plaso_atop import parser
from plaso_atop import rawlog

import log_builder
from tests.lib import test_lib

_NEW = -(1 << 31)


class ProcessTestCase(test_lib.ParserTestCase):
    """Test case of the process plugin, with logs made for its rules."""

    # Time of the first sample.
    _T0 = 1795225000

    def _GetExit(self, pid, btime, status=0, elaps=100, is_new=False, **values):
        """Retrieves the entry of an exited process.

        Args:
          pid (int): process identifier.
          btime (int): time of the start relative to the first sample.
          status (Optional[int]): wait status.
          elaps (Optional[int]): elapsed time in clock ticks.
          is_new (Optional[bool]): True if atop did not know the process.
          values (dict[str, object]): values of other members.

        Returns:
          dict[str, object]: values of the members.
        """
        excode = status | _NEW if is_new else status
        return self._GetTask(
            pid, btime, **{"state": b"E", "excode": excode, "elaps": elaps, **values}
        )

    def _GetTask(self, pid, btime=-1000, **values):
        """Retrieves the entry of a process.

        Args:
          pid (int): process identifier.
          btime (Optional[int]): time of the start relative to the first sample.
          values (dict[str, object]): values of other members. Those of gen can be
              without the name of that part.

        Returns:
          dict[str, object]: values of the members.
        """
        task = {
            "gen.tgid": pid,
            "gen.pid": pid,
            "gen.isproc": 1,
            "gen.nthr": 1,
            "gen.state": b"S",
            "gen.btime": self._T0 + btime,
            "gen.name": b"daemon",
            "gen.cmdline": b"/usr/sbin/daemon",
            "gen.ppid": 1,
        }
        for name, value in values.items():
            part, _, member = name.partition("__")
            task[f"{part:s}.{member:s}" if member else f"gen.{name:s}"] = value
        return task

    def _GetTimes(self, event_data):
        """Retrieves the dates and times of a process relative to the first sample.

        Args:
          event_data (AtopProcessEventData): event data.

        Returns:
          dict[str, int]: times per name.
        """
        times = {}
        for name in ("start", "exit", "first_seen", "last_seen"):
            date_time = getattr(event_data, f"{name:s}_time")
            if date_time is not None:
                times[name] = date_time.timestamp - self._T0
        return times

    def _Parse(
        self, samples, version=layouts.VERSIONS[-1], abi=layouts.ABIS[0], **kwargs
    ):
        """Parses a log.

        Args:
          samples (list[list[dict[str, object]]]): entries of the process lists. The
              first one is the first of a run of atop, and those after None.
          version (Optional[str]): version of atop.
          abi (Optional[layouts.ABI]): machine type.
          kwargs (dict[str, object]): flags of the records, values of the header and
              system configurations.

        Returns:
          tuple[list[AtopProcessEventData], list[AtopProcessChangeEventData]]: events.
        """
        flags = kwargs.pop("flags", rawlog.FLAG_ACCOUNTING | rawlog.FLAG_IOSTAT)
        records = kwargs.pop("records", {})
        builder = log_builder.LogBuilder(version=version, abi=abi, **kwargs)
        curtime = self._T0
        is_boot = True
        for tasks in samples:
            if tasks is None:
                is_boot = True
                continue

            members = builder.layout.tstat.members
            known_tasks = []
            for task in tasks:
                known = {}
                for name, value in task.items():
                    part, _, member = name.partition(".")
                    if part in members and member in members[part].structure.members:
                        known[name] = value
                known_tasks.append(known)

            builder.AddSample(
                curtime,
                interval=99999 if is_boot else 600,
                flags=flags | (rawlog.FLAG_BOOT if is_boot else 0),
                tasks=known_tasks,
                **records,
            )
            curtime += 600
            is_boot = False

        atop_parser = parser.AtopParser()
        atop_parser.EnablePlugins({"process"})
        storage_writer = self._ParseData(builder.Build(), atop_parser)
        self.assertEqual(self._GetWarnings(storage_writer), [])
        return (
            self._GetEventData(storage_writer, "linux:atop:process"),
            self._GetEventData(storage_writer, "linux:atop:process_change"),
        )
