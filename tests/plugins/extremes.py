"""Tests of the plugins with logs whose members have the most extreme values.

An index refuses a document with a number beyond 64 bits, or that is not finite.
"""

import math
import unittest

from plaso_atop import layouts
from plaso_atop import parser

from scripts import attributes

import log_builder

from tests.lib import test_lib

# Flags of a record: boot of atop, and all that can be recorded but control groups.
_FLAGS = 0x00FC

_LARGEST = "largest"
_MINUS_ONE = "-1"
_SMALLEST = "smallest"


class ExtremeValuesTest(test_lib.ParserTestCase):
    """Tests of the plugins with logs whose members have the most extreme values."""

    _FLOATS = {
        _LARGEST: math.inf,
        _MINUS_ONE: math.nan,
        _SMALLEST: -3.4e38,
    }

    _T0 = log_builder.T0

    def _GetNumber(self, member, kind):
        """Retrieves an extreme value of a member.

        Args:
          member (layouts.Member): member that is a number.
          kind (str): which value.

        Returns:
          int|float: value.
        """
        if member.format == "f":
            return self._FLOATS[kind]

        number_of_bits = 8 * member.size
        if member.format.isupper():
            return 0 if kind == _SMALLEST else (1 << number_of_bits) - 1
        if kind == _MINUS_ONE:
            return -1
        limit = 1 << (number_of_bits - 1)
        return limit - 1 if kind == _LARGEST else -limit

    def _GetValues(self, structure, kind):
        """Makes values of all members of a structure.

        Args:
          structure (layouts.Structure): layout.
          kind (str): which values.

        Returns:
          dict[str, object]: values per name of the member, see log_builder.Pack.
        """
        values = {}
        for name, member in structure.members.items():
            if member.format == "s":
                values[name] = name.encode("ascii")[: member.count]
            elif member.format == "c":
                values[name] = b"A"
            elif member.structure:
                element = self._GetValues(member.structure, kind)
                values[name] = element if member.count == 1 else [element] * 2
            else:
                number = self._GetNumber(member, kind)
                values[name] = number if member.count == 1 else [number] * 2
        return values

    def _GetTask(self, structure, kind, pid, **gen):
        """Makes an entry of the process list.

        Args:
          structure (layouts.Structure): layout of the tstat.
          kind (str): which values the members have.
          pid (int): process identifier.
          gen (dict[str, object]): values of members of gen that have another one.

        Returns:
          dict[str, object]: values per name of the member.
        """
        task = self._GetValues(structure, kind)
        values = {"isproc": 1, "pid": pid, "state": b"S", "tgid": pid, "wasinactive": 0}
        values.update(gen)
        for name, value in values.items():
            if name in task["gen"]:
                task["gen"][name] = value
        return task

    def _GetTasks(self, structure, kind, name):
        """Makes a process list.

        Args:
          structure (layouts.Structure): layout of the tstat.
          kind (str): which values the members have.
          name (bytes): name of the processes.

        Returns:
          list[dict[str, object]]: values per name of the member: processes and threads
              that live and that exited, with and without a start that is extreme.
        """
        pids = iter(range(1, 100))
        tasks = []
        for btime in ({}, {"btime": self._T0 - 1000}):
            for excode in ({}, {"excode": 0}, {"excode": log_builder.IS_NEW}):
                pid = next(pids)
                tasks.append(
                    self._GetTask(structure, kind, pid, name=name, **btime, **excode)
                )
                if "isproc" in tasks[0]["gen"]:
                    tasks.append(
                        self._GetTask(structure, kind, pid, isproc=0, **btime, **excode)
                    )
                for elaps in ({}, {"elaps": 100}):
                    for tgid in (0, 1):
                        pid = next(pids)
                        tasks.append(
                            self._GetTask(
                                structure,
                                kind,
                                pid,
                                state=b"E",
                                tgid=tgid * pid,
                                **btime,
                                **elaps,
                                **excode,
                            )
                        )
        return tasks

    def _GetCgroups(self, structure, kind):
        """Makes control groups.

        Args:
          structure (layouts.Structure): layout of the cstat or None.
          kind (str): which values the members have.

        Returns:
          list[log_builder.Cgroup]: control groups, None if the version has none.
        """
        if not structure:
            return None

        values = self._GetValues(structure, kind)
        procsbelow = values.pop("gen")["procsbelow"]
        pids = [(1 << 31) - 1, -(1 << 31), 1]
        return [
            log_builder.Cgroup(b"", -1, pids, {**values, "gen.procsbelow": procsbelow})
        ]

    def _GetRecord(self, structure, kind):
        """Makes the members of a record that are counters.

        Args:
          structure (layouts.Structure): layout of the rawrecord.
          kind (str): which values the members have.

        Returns:
          dict[str, object]: values per name of the member.
        """
        values = self._GetValues(structure, kind)
        return {
            name: value
            for name, value in values.items()
            if name.startswith(
                ("nact", "npresent", "ntr", "ntsl", "nz", "noverfl", "tot")
            )
        }

    def _CheckNumbers(self, event_data):
        """Checks that an index accepts all numbers of an event.

        Args:
          event_data (EventData): event data.

        Returns:
          int: number of numbers.
        """
        number_of_numbers = 0
        for name, value in event_data.GetAttributes():
            for element in value if isinstance(value, list) else [value]:
                message = f"{event_data.data_type:s} {name:s}: {element!r}"
                if isinstance(element, int):
                    self.assertLessEqual(-(1 << 63), element, message)
                    self.assertLess(element, 1 << 63, message)
                elif isinstance(element, float):
                    self.assertTrue(math.isfinite(element), message)
                else:
                    continue
                number_of_numbers += 1
        return number_of_numbers

    def testNumbers(self):
        """Tests that all numbers of all events fit in what an index accepts."""
        data_types = set()
        for version in layouts.VERSIONS:
            for kind in (_LARGEST, _MINUS_ONE, _SMALLEST):
                for hertz in (1, 10000):
                    with self.subTest(version=version, kind=kind, hertz=hertz):
                        builder = log_builder.LogBuilder(
                            version=version,
                            hertz=hertz,
                            pagesize=1 << 22,
                            supportflags=0xFFFFFFFF >> 1,
                        )
                        layout = builder.layout
                        # Several samples, as totals are added up.
                        for index, curtime in enumerate(
                            (self._T0, self._T0 + 1, 0, -1, (1 << 63) - 1, -(1 << 63))
                        ):
                            builder.AddSample(
                                curtime,
                                interval=(1 << 31) - 1 if index else 1,
                                flags=_FLAGS | (0 if index else log_builder.FLAG_BOOT),
                                system=self._GetValues(layout.sstat, kind),
                                tasks=self._GetTasks(
                                    layout.tstat, kind, b"name%d" % index
                                ),
                                cgroups=self._GetCgroups(layout.cstat, kind),
                                **self._GetRecord(layout.rawrecord, kind),
                            )

                        atop_parser = parser.AtopParser()
                        # pylint: disable=protected-access
                        names = set(atop_parser._plugin_classes)
                        atop_parser.EnablePlugins(names)
                        storage_writer = self._ParseData(builder.Build(), atop_parser)
                        for message in self._GetWarnings(storage_writer):
                            self.assertFalse(message.startswith("plugin:"), message)

                        events = self._GetEventData(storage_writer)
                        for event_data in events:
                            self._CheckTypes(event_data)
                            self.assertGreater(self._CheckNumbers(event_data), 0)
                            data_types.add(event_data.data_type)

        self.assertEqual(
            sorted(data_types),
            [
                event_data_class.DATA_TYPE
                for event_data_class in attributes.GetEventDataClasses()
            ],
        )


if __name__ == "__main__":
    unittest.main()
