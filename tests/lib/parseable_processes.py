"""Processes that a log shows, derived from what atop printed.

This is the oracle of the process events: it must not use anything of our own code. It
is written for clarity and keeps all processes of a log in memory.
"""

import re

# Before 2.3 tasks without activity are not listed.
_VERSION_WITH_ALL_TASKS = (2, 3)

# Up to 2.3 the exit code is printed as it is stored, after that decoded. Since 2.6 a
# column shows if a task is new.
_VERSION_WITH_DECODED_EXIT_CODE = (2, 4)

# Since then the column of the container has the name of its host.
_VERSION_WITH_CONTAINER_NAME = (2, 10)

# An exited process has the start time that process accounting knows, others that of
# the kernel. In seconds.
_MAXIMUM_START_TIME_DIFFERENCE = 1

# Up to this version the start time of a living process is the sum of two times. Each is
# rounded down.
_VERSION_WITH_ROUNDED_TIMES = (1, 23)
_MAXIMUM_ROUNDED_TIME_DIFFERENCE = 2

_SECTOR_SIZE = 512

_IDENTIFIERS = {
    "user_identifier": "ruid",
    "group_identifier": "rgid",
    "effective_user_identifier": "euid",
    "effective_group_identifier": "egid",
    "saved_user_identifier": "suid",
    "saved_group_identifier": "sgid",
    "file_system_user_identifier": "fsuid",
    "file_system_group_identifier": "fsgid",
}


def GetText(data):
    """Determines how events show what may be text.

    Args:
      data (bytes): data.

    Returns:
      str: text, or None if there is none.
    """
    # A backslash that would look like the start of an escape sequence.
    data = re.sub(rb"\\(?=x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})", rb"\\x5c", data)

    characters = []
    for character in data.decode("utf-8", errors="surrogateescape"):
        code = ord(character)
        if 0xDC80 <= code <= 0xDCFF:
            # A byte that is not UTF-8.
            character = f"\\x{code - 0xDC00:02x}"
        elif not character.isprintable():
            character = f"\\x{code:02x}" if code < 128 else f"\\u{code:04x}"
        characters.append(character)

    return "".join(characters) or None


class Process:
    """Process of a log.

    Attributes:
      ancestors (str): expected ancestors.
      command_line (bytes): last command line that was not empty.
      exit_row (dict[str, object]): columns of the exit, None if no exit was recorded.
      exit_sample (parseable.Sample): sample of the exit.
      first_command_line (bytes): first command line that was not empty.
      first_index (int): index of the first sample that lists it.
      first_row (dict[str, object]): columns when first listed alive, or else those of
          the exit.
      indexes (set[int]): indexes of the samples that list it.
      is_seen_alive (bool): True if it was listed alive.
      names (set[tuple[bytes, bytes]]): all pairs of name and command line it had.
      number_of_changes (int): number of samples that show a change.
      parent (tuple[bytes, bytes]): name and command line of the parent process, None
          if the log does not show it.
      parent_process (Process): parent process, None if the log does not show it.
      row (dict[str, object]): columns when last listed alive.
      totals (dict[str, int]): sum of the counters.
    """

    _COUNTERS = ("utime", "stime", "minflt", "majflt")
    _DISK_COUNTERS = ("rsz", "wsz", "cwsz")
    _SIZES = ("rmem", "vmem")

    def __init__(self, index, row):
        """Initializes a process.

        Args:
          index (int): index of the sample.
          row (dict[str, object]): columns.
        """
        super().__init__()
        self.ancestors = None
        self.command_line = b""
        self.exit_row = None
        self.exit_sample = None
        self.first_command_line = b""
        self.first_index = index
        self.first_row = row
        self.indexes = set()
        self.is_seen_alive = False
        self.names = set()
        self.number_of_changes = 0
        self.parent = None
        self.parent_process = None
        self.row = None
        self.totals = {}

    def _AddCounters(self, row, names, is_new):
        """Adds counters.

        Args:
          row (dict[str, object]): columns.
          names (tuple[str]): names of the columns.
          is_new (bool): True if these are totals since the process was started.
        """
        for name in names:
            total = 0 if is_new else self.totals.get(name, 0)
            self.totals[name] = total + row[name]

    def AddExit(self, index, sample, row, is_new):
        """Adds the exit.

        Args:
          index (int): index of the sample.
          sample (parseable.Sample): sample.
          row (dict[str, object]): columns.
          is_new (bool): True if the counters are totals.
        """
        self.exit_row = row
        self.exit_sample = sample
        self.first_command_line = self.first_command_line or row["cmdline"]
        self.indexes.add(index)

        # What process accounting does not know is 0: disk transfers, memory sizes and
        # all user and group identifiers but the real ones.
        self._AddCounters(row, self._COUNTERS, is_new)

    def AddSample(self, index, row, is_new):
        """Adds a sample that lists the process alive.

        Args:
          index (int): index of the sample.
          row (dict[str, object]): columns.
          is_new (bool): True if the counters are totals.
        """
        self.indexes.add(index)
        self.is_seen_alive = True
        self.row = row
        self.names.add((row["name"], row["cmdline"] or self.command_line))
        self.command_line = row["cmdline"] or self.command_line
        self.first_command_line = self.first_command_line or row["cmdline"]

        self._AddCounters(row, self._COUNTERS, is_new)
        if row["has_iostat"]:
            self._AddCounters(row, self._DISK_COUNTERS, is_new)
        for name in self._SIZES:
            self.totals[name] = max(row[name], self.totals.get(name, 0))

    def GetAncestors(self):
        """Determines the ancestors, with the names that they have now.

        Returns:
          str: ancestors, None if there are none. No log has a process with more than
              16 of them, or a name with a character that is special in the text.
        """
        names = []
        process = self
        while process:
            ppid = process.first_row["ppid"]
            process = process.parent_process
            if process:
                row = process.row or process.exit_row
                names.append(f"{GetText(row['name'])}[{process.first_row['pid']}]")
            elif ppid:
                names.append(f"[{ppid}]")
        return " > ".join(reversed(names)) or None

    def GetChanges(self, row):
        """Determines what changed since the process was last listed.

        Args:
          row (dict[str, object]): columns of the process, alive.

        Returns:
          dict[str, tuple[object, object]]: value before and after the change per name
              of an attribute.
        """
        changes = {}

        # The command line of a zombie, and of a process that has just been forked, is
        # empty. Kernel threads are named after what they currently do.
        command_line = row["cmdline"] or self.command_line
        is_kernel_thread = 2 in (row["pid"], row["ppid"])
        if not is_kernel_thread and (row["name"], command_line) not in self.names:
            if row["name"] != self.row["name"]:
                changes["process_name"] = (self.row["name"], row["name"])
            if self.command_line and command_line != self.command_line:
                changes["command_line"] = (self.command_line, command_line)

        changes = {
            name: tuple(GetText(value) for value in values)
            for name, values in changes.items()
        }

        for name, column in _IDENTIFIERS.items():
            if row.get(column) != self.row.get(column):
                changes[name] = (
                    self.row[column] & 0xFFFFFFFF,
                    row[column] & 0xFFFFFFFF,
                )

        return changes


class Processes:
    """Processes of a log.

    Attributes:
      changes (list[dict[str, object]]): expected changes of processes: the pid, the
          time and the changed attributes.
      processes (list[Process]): processes.
    """

    def __init__(self, samples, version):
        """Initializes the processes of a log.

        Args:
          samples (list[parseable.Sample]): what atop printed of the log.
          version (tuple[int, int]): version of atop.
        """
        super().__init__()
        self._samples = samples
        self._version = version
        self.changes = []
        self.processes = []

        # The process that last had a pid.
        process_of_pid = {}

        for index, sample in enumerate(samples):
            new_processes = []

            for row in sample.GetTasks():
                # Exit entries can be all zero.
                if not row.get("isproc", True) or not row["pid"]:
                    continue

                is_exit = row["state"] == b"E"
                process = process_of_pid.get(row["pid"])
                if process and not self._IsSame(process, row, is_exit):
                    process = None
                if not process:
                    process = Process(index, row)
                    process_of_pid[row["pid"]] = process
                    new_processes.append(process)
                    self.processes.append(process)

                is_new = self._IsNew(process, index, row, is_exit)
                if is_exit:
                    process.AddExit(index, sample, row, is_new)
                    continue

                if process.is_seen_alive:
                    changes = process.GetChanges(row)
                    if changes:
                        pid, sample_time = row["pid"], sample.curtime
                        self.changes.append(
                            {"pid": pid, "sample_time": sample_time, **changes}
                        )
                        process.number_of_changes += 1
                process.AddSample(index, row, is_new)

            for process in new_processes:
                parent = process_of_pid.get(process.first_row["ppid"])
                if (
                    parent
                    and self._CanBeAlive(parent, index)
                    and not self._IsEndedBefore(parent, process)
                ):
                    row = parent.row or parent.exit_row
                    process.parent = (row["name"], parent.command_line)
                    process.parent_process = parent

            for process in new_processes:
                process.ancestors = process.GetAncestors()

    def _CanBeAlive(self, process, index):
        """Determines if a process can have been alive since the previous sample.

        Args:
          process (Process): process.
          index (int): index of the sample.

        Returns:
          bool: True if it can.
        """
        last_index = index - 1
        if process.exit_row or self._version >= _VERSION_WITH_ALL_TASKS:
            last_index = max(process.indexes)
        return last_index >= index - 1

    def _IsEndedBefore(self, process, other):
        """Determines if a process ended before another one was started.

        Args:
          process (Process): process.
          other (Process): other process.

        Returns:
          bool: True if it ended more than 2 seconds before.
        """
        row = process.exit_row
        if not row or "elaps" not in row:
            return False
        end_time = row["btime"] + row["elaps"] // row["hertz"]
        return end_time < other.first_row["btime"] - 2

    def _IsNew(self, process, index, row, is_exit):
        """Determines if the counters are totals and no differences.

        Args:
          process (Process): process.
          index (int): index of the sample.
          row (dict[str, object]): columns.
          is_exit (bool): True if these are columns of an exit.

        Returns:
          bool: True if the counters are totals.
        """
        if self._version < _VERSION_WITH_DECODED_EXIT_CODE:
            return row["excode"] < 0
        if "new" in row:
            return row["new"] == b"N"

        # The versions without that column list all tasks.
        if self._samples[index].is_boot:
            return True
        return index - 1 not in process.indexes and not (
            is_exit and index in process.indexes
        )

    def _IsSame(self, process, row, is_exit):
        """Determines if columns are those of a process.

        Args:
          process (Process): process that last had the pid.
          row (dict[str, object]): columns.
          is_exit (bool): True if these are columns of an exit.

        Returns:
          bool: True if they are of the process, False if of another with the same pid.
        """
        if is_exit and process.exit_row:
            return False
        maximum_difference = _MAXIMUM_START_TIME_DIFFERENCE
        if self._version <= _VERSION_WITH_ROUNDED_TIMES:
            maximum_difference = _MAXIMUM_ROUNDED_TIME_DIFFERENCE
        return abs(row["btime"] - process.first_row["btime"]) <= maximum_difference

    def _GetExitValues(self, process):
        """Determines what is expected of the exit of a process.

        Args:
          process (Process): process.

        Returns:
          dict[str, object]: values per name of an attribute.
        """
        row = process.exit_row
        values = {"accounting_matched": process.is_seen_alive, "process_state": "E"}

        if "elaps" in row:
            values["elapsed_time"] = row["elaps"] * 1000 // row["hertz"]
            values["exit_time"] = row["btime"] + row["elaps"] // row["hertz"]
        else:
            # 1.23 does not know when a process exited.
            values["exit_time"] = process.exit_sample.curtime
            values["exit_time_estimated"] = True

        end_time = values["exit_time"]
        if "end_time" in row and row["end_time"] != end_time:
            raise ValueError("unexpected end time")

        # One row shows a process that started and exited in the same second.
        start_time = process.first_row["btime"]
        values["observed_seconds"] = end_time - start_time
        if end_time == start_time:
            del values["exit_time"]

        status = row["excode"]
        if self._version >= _VERSION_WITH_DECODED_EXIT_CODE:
            # This code does not show a core dump. The logs of the other versions have
            # none.
            status = status - 256 if status >= 256 else status << 8

        if status & 0x7F:
            values["core_dumped"] = bool(status & 0x80)
            values["exit_signal"] = status & 0x7F
        else:
            values["exit_code"] = (status >> 8) & 0xFF

        return values

    def _GetLastValues(self, process):
        """Determines what a process was at its end, where it was not that first.

        Args:
          process (Process): process.

        Returns:
          dict[str, object]: values per name of an attribute.
        """
        if not process.is_seen_alive:
            return {}

        values = {}
        name = process.row["name"]
        user_identifier = process.row["ruid"]
        if process.exit_row:
            user_identifier = process.exit_row["ruid"]
            if process.row["nthr"] == 1:
                name = process.exit_row["name"]

        # Kernel threads are named after what they currently do.
        row = process.first_row
        if name != row["name"] and 2 not in (row["pid"], row["ppid"]):
            values["last_process_name"] = GetText(name)
        if process.command_line != process.first_command_line:
            values["last_command_line"] = GetText(process.command_line)
        if user_identifier != row["ruid"]:
            values["last_user_identifier"] = user_identifier & 0xFFFFFFFF
        return values

    def _GetOriginValues(self, process):
        """Determines from which session, unit and container a process comes.

        Args:
          process (Process): process.

        Returns:
          dict[str, object]: values per name of an attribute.
        """
        values = {}
        origin = process
        while origin and origin.first_row.get("cgroup", b"-") == b"-":
            origin = origin.parent_process
        if not origin:
            return {}

        path = origin.first_row["cgroup"].decode("ascii").split("/")
        if origin is not process and path[-1] == "init.scope":
            return {}

        # Before 2.11 the path has no more characters, the last name may be cut.
        if self._version < (2, 11) and len("/".join(path)) >= 63:
            path.pop()

        for name in path:
            if name.startswith("session-") and name.endswith(".scope"):
                values["login_session"] = name[len("session-") : -len(".scope")]
            elif name.endswith((".scope", ".service")):
                values["systemd_unit"] = name

            identifier = re.search("[0-9a-f]{64}", name)
            if identifier:
                values["container_identifier"] = identifier[0][:12]

        if values and origin is not process:
            values["is_inherited"] = True
        return values

    def GetExpectedValues(self, process):
        """Determines what is expected of the event of a process.

        Args:
          process (Process): process.

        Returns:
          dict[str, object]: values per name of an attribute, None where there must be
              none.
        """
        row = process.first_row
        totals = process.totals
        hertz = row["hertz"]

        values = {
            "accounting_matched": None,
            "ancestors": process.ancestors,
            "cancelled_written_size": None,
            "cgroup": None,
            "command_line": GetText(process.first_command_line),
            "core_dumped": None,
            "ctid": row.get("ctid") or None,
            "elapsed_time": None,
            "exit_code": None,
            "exit_signal": None,
            "exit_time": None,
            "exit_time_estimated": None,
            "first_seen_time": None,
            "hostname": GetText(self._samples[0].nodename),
            "is_inherited": None,
            "last_command_line": None,
            "last_process_name": None,
            "last_seen_time": None,
            "last_user_identifier": None,
            "login_pid": None,
            "login_session": None,
            "major_faults": totals["majflt"],
            "maximum_resident_size": None,
            "maximum_virtual_size": None,
            "minor_faults": totals["minflt"],
            "number_of_changes": process.number_of_changes or None,
            "number_of_samples": len(process.indexes),
            "number_of_threads": None,
            "parent_command_line": None,
            "parent_process_name": None,
            "pid": row["pid"],
            "ppid": row["ppid"],
            "process_name": GetText(row["name"]),
            "process_state": None,
            "read_size": None,
            "running_at_log_start": None,
            "start_time": row["btime"],
            "system_cpu_time": totals["stime"] * 1000 // hertz,
            "systemd_unit": None,
            "user_cpu_time": totals["utime"] * 1000 // hertz,
            "vpid": row.get("vpid") or None,
            "written_size": None,
        }

        for name, column in _IDENTIFIERS.items():
            is_known = process.is_seen_alive or column in ("ruid", "rgid")
            is_known = is_known and column in row
            values[name] = row[column] & 0xFFFFFFFF if is_known else None

        container = "container_identifier"
        if self._version >= _VERSION_WITH_CONTAINER_NAME:
            container = "container_name"
        values["container_identifier"] = values["container_name"] = None
        origin = process
        while not origin.is_seen_alive and origin.parent_process:
            origin = origin.parent_process
        if origin.first_row.get("container", b"-") != b"-":
            values[container] = GetText(origin.first_row["container"])
            values["is_inherited"] = True if origin is not process else None

        if process.parent:
            name, command_line = process.parent
            values["parent_process_name"] = GetText(name)
            values["parent_command_line"] = GetText(command_line)

        if process.is_seen_alive:
            if row.get("cgroup", b"-") != b"-":
                values["cgroup"] = GetText(row["cgroup"])
            values["number_of_threads"] = row["nthr"]
            values["process_state"] = GetText(process.row["state"])
            values["maximum_resident_size"] = totals["rmem"] * 1024
            values["maximum_virtual_size"] = totals["vmem"] * 1024
        if "rsz" in totals:
            values["read_size"] = totals["rsz"] * _SECTOR_SIZE
            values["written_size"] = totals["wsz"] * _SECTOR_SIZE
            values["cancelled_written_size"] = totals["cwsz"] * _SECTOR_SIZE

        first_sample = self._samples[process.first_index]
        if first_sample.is_boot and process.is_seen_alive:
            values["first_seen_time"] = first_sample.curtime
            values["running_at_log_start"] = True

        last_sample = self._samples[max(process.indexes)]
        values["observed_seconds"] = last_sample.curtime - row["btime"]
        values.update(self._GetLastValues(process))
        values.update(self._GetOriginValues(process))

        if process.exit_row:
            values.update(self._GetExitValues(process))
        elif self._version >= _VERSION_WITH_ALL_TASKS:
            last_index = max(process.indexes)
            if last_index < len(self._samples) - 1:
                values["last_seen_time"] = self._samples[last_index].curtime

        return values
