"""Makes the files of the server of the demonstration case from story.yaml."""

import calendar
import collections
import dataclasses
import datetime
import os
import random
import stat
import struct
import time

import yaml

from demonstration import server

_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "story.yaml")

_INTERVAL = 600

# Kinds of entries in the log of logins.
_UTMP_RUN_LEVEL = 1
_UTMP_BOOT = 2
_UTMP_USER = 7
_UTMP_DEAD = 8

_NO_ADDRESS = "0.0.0.0"

File = collections.namedtuple(
    "File", ["path", "time", "user", "mode", "data", "target"]
)
File.__doc__ = """File, directory or symbolic link in the image.

Attributes:
  path (str): path without a leading slash.
  time (int): time of the last change in seconds since the Epoch.
  user (tuple[int, int]): identifiers of user and group.
  mode (int): type and permissions.
  data (bytes): contents of a file, None for a directory or a symbolic link.
  target (str): target of a symbolic link, None for a file or a directory.
"""

Scope = collections.namedtuple("Scope", ["parent", "start_time", "end_time", "values"])
Scope.__doc__ = """What an entry stands in.

Attributes:
  parent (server.Process): parent process, None if there is none.
  start_time (float): start in seconds since the Epoch.
  end_time (float): end in seconds since the Epoch, None if there is none.
  values (dict[str, object]): values in texts.
"""


def GetTime(value, reference=None):
    """Determines a time.

    Args:
      value (str|float): time of the day of the case, such as "02:07:13.5", date and
          time, or seconds after the reference.
      reference (Optional[float]): time in seconds since the Epoch.

    Returns:
      float: time in seconds since the Epoch, None if that is not known.
    """
    if not isinstance(value, str):
        return None if None in (value, reference) else reference + value
    if " " not in value:
        value = f"2026-09-17 {value:s}"
    value, _, fraction = value.partition(".")
    seconds = calendar.timegm(time.strptime(value, "%Y-%m-%d %H:%M:%S"))
    return seconds + float(f"0.{fraction or '0':s}")


class Story:
    """What happened on the server, and what it left there.

    Attributes:
      processes (list[server.Process]): all processes.
    """

    def __init__(self):
        """Initializes a story."""
        super().__init__()
        with open(_PATH, encoding="utf-8") as file_object:
            self._story = yaml.safe_load(file_object)

        self.processes = []
        self._boot_time = int(GetTime(self._story["boot"]))
        self._halt_time = GetTime(self._story["halt"])
        self._histories = collections.defaultdict(str)
        self._logins = []
        self._messages = []
        self._processes_per_id = {}
        self._random = random.Random(17)
        self._users = {}
        for line in self._story["files"]["etc/passwd"]["text"].splitlines():
            username, _, *identifiers = line.split(":")[:4]
            self._users[username] = tuple(map(int, identifiers))

        scope = Scope(None, self._boot_time, None, self._story["values"])
        self._RunAll(scope)
        self._AssignPids()

    def _AddProcess(self, entry, scope):
        """Adds a process, and to the log of logins what it logs.

        Args:
          entry (dict[str, object]): process.
          scope (Scope): what it is part of, and its times.

        Returns:
          server.Process: process.
        """
        parent, start_time, end_time, values = scope
        name = entry["command"].partition(" ")[0].rpartition("/")[2].strip("-:")
        attributes = {
            "name": name,
            "group": parent.group if parent else "/",
            **entry,
            "parent": parent,
            "start_time": start_time,
            "end_time": end_time,
            "user": parent.user if parent else (0, 0),
        }
        if "unit" in entry:
            attributes["group"] = f"/system.slice/{entry['unit']:s}.service"
        if "user" in entry:
            attributes["user"] = self._users[entry["user"]]
        if "change_time" in entry:
            attributes["change_time"] = GetTime(entry["change_time"])
        fields = {field.name for field in dataclasses.fields(server.Process)}
        process = server.Process(
            **{name: attributes[name] for name in fields & attributes.keys()}
        )
        self.processes.append(process)
        if "id" in entry:
            self._processes_per_id[entry["id"]] = process

        if "is_login" in entry:
            names = (values["username"], values["terminal"], values["address"])
            self._logins.append((start_time, _UTMP_USER, parent, *names))
            if end_time:
                names = ("", values["terminal"], _NO_ADDRESS)
                self._logins.append((end_time, _UTMP_DEAD, parent, *names))
        return process

    def _AssignPids(self):
        """Assigns identifiers to the processes that have none, as a kernel does."""
        pid = self._story["first_pid"]
        gaps = random.Random(pid)
        for process in sorted(self.processes, key=lambda process: process.start_time):
            if not process.pid:
                process.pid = pid
                pid += process.number_of_threads + gaps.choice((0, 0, 0, 1, 2))

    def _Run(self, entry, scope):
        """Runs a process, or those of a template, and what stands in it.

        Args:
          entry (dict[str, object]): entry.
          scope (Scope): what it stands in.

        Returns:
          server.Process: process, the last one of a template.
        """
        values = dict(scope.values)
        for name, value in entry.items():
            values[name] = value.format(**values) if isinstance(value, str) else value
        if "username" in entry:
            values["uid"] = self._users[values["username"]][0]
        entry = {name: values[name] for name in entry}

        start_time = GetTime(entry.get("start", 0), scope.start_time)
        end_time = GetTime(entry.get("end"), scope.end_time)
        if "seconds" in entry:
            end_time = start_time + entry["seconds"]
        parent = self._processes_per_id.get(entry.get("parent"), scope.parent)
        scope = Scope(parent, start_time, end_time, values)

        template = self._story["templates"].get(entry.get("template"), {})
        for process_entry in template.get("processes", ()):
            scope = scope._replace(parent=self._Run(process_entry, scope))
        if "command" in entry and not template:
            scope = scope._replace(parent=self._AddProcess(entry, scope))

        for message in (*template.get("messages", ()), *entry.get("messages", ())):
            timestamp = GetTime(message.get("start"), start_time)
            if "end" in message:
                timestamp = GetTime(message["end"], end_time)
            if timestamp is not None:
                # The log has microseconds.
                timestamp += self._random.randrange(1000) / 1e6
                program, _, identifier = message["from"].partition(" ")
                process = self._processes_per_id.get(identifier)
                text = message["text"].format(**values)
                self._messages.append((timestamp, program, process, text))

        for child in (*entry.get("typed", ()), *entry.get("children", ())):
            self._Run(child, scope)
        for command in entry.get("typed", ()):
            text = command.get("text", command.get("command")).format(**values)
            timestamp = int(GetTime(command["start"]))
            self._histories[values["username"]] += f"#{timestamp:d}\n{text:s}\n"
        return scope.parent

    def _RunAll(self, scope):
        """Runs all.

        Args:
          scope (Scope): what it is part of.
        """
        for entry in self._story["system"]:
            self._Run(entry, scope)
        init = self._processes_per_id["init"]
        for entry in self._story["services"]:
            self._Run(
                entry, scope._replace(parent=init, start_time=self._boot_time + 8)
            )
        for pid, name in enumerate(self._story["kernel_threads"].split(), 3):
            cpu = 0.0008 if name in self._story["busy_kernel_threads"] else 0.0
            entry = {"parent": "kthreadd", "command": "", "name": name}
            self._Run({**entry, "pid": pid, "cpu": cpu}, scope)
        for entry in self._story["schedule"]:
            first_time = int(GetTime(entry["start"]))
            last_time = int(self._halt_time - 60)
            for start_time in range(first_time, last_time, entry["every"]):
                self._Run({**entry, "start": 0}, scope._replace(start_time=start_time))
        self._RunGuesses(scope)
        for entry in self._story["events"]:
            self._Run(entry, scope)

    def _RunGuesses(self, scope):
        """Runs the daemons of those who guess passwords.

        Args:
          scope (Scope): what they are part of.
        """
        start_time = GetTime("00:03:00")
        while start_time < self._halt_time - 3600:
            start_time += self._random.randrange(600, 2400)
            entry = {
                "template": "guess",
                "address": f"198.51.100.{self._random.randrange(100, 200):d}",
                "account": self._random.choice(self._story["guesses"]),
                "port": self._random.randrange(32768, 60999),
            }
            self._Run(entry, scope._replace(start_time=start_time))

    def _GetAtopLog(self, unused_username):
        """Makes the log of atop, which makes a last sample when the server is halted.

        Returns:
          bytes: contents of the log.
        """
        halt_time = int(self._halt_time)
        times = [*range(int(GetTime("00:00:01")), halt_time, _INTERVAL), halt_time]
        return server.GetLog(
            self._story["hostname"], self._boot_time, self.processes, times
        )

    def _GetAuthLog(self, unused_username):
        """Makes the log of authentication.

        Returns:
          bytes: contents of the log.
        """
        lines = []
        for timestamp, program, process, text in sorted(
            self._messages, key=lambda message: message[0]
        ):
            date_time = datetime.datetime.fromtimestamp(
                timestamp, tz=datetime.timezone.utc
            )
            identifier = f"[{process.pid:d}]" if process else ""
            lines.append(
                f"{date_time.isoformat(timespec='microseconds'):s} "
                f"{self._story['hostname']:s} {program:s}{identifier:s}: "
                f"{text:s}\n"
            )
        return "".join(lines).encode("utf-8")

    def _GetHistory(self, username):
        """Makes the history of a shell.

        Args:
          username (str): name of the user.

        Returns:
          bytes: contents of the history.
        """
        return self._histories[username].encode("utf-8")

    def _GetWtmp(self, unused_username):
        """Makes the log of logins.

        Returns:
          bytes: contents of the log.
        """
        data = []
        for timestamp, kind, process, username, terminal, address in (
            (self._boot_time, _UTMP_BOOT, None, "reboot", "~", _NO_ADDRESS),
            *sorted(self._logins, key=lambda login: login[0]),
            (self._halt_time - 2, _UTMP_RUN_LEVEL, None, "shutdown", "~", _NO_ADDRESS),
        ):
            host = "" if kind == _UTMP_DEAD else address
            if not process:
                host = server.KERNEL_RELEASE
            data.append(
                struct.pack(
                    "<hxxi32s4s32s256shhiii4s32x",
                    kind,
                    process.pid if process else 0,
                    terminal.encode("ascii"),
                    terminal.encode("ascii")[-4:] if process else b"~~",
                    username.encode("ascii"),
                    host.encode("ascii"),
                    *(0, 0, 0),
                    *divmod(int(timestamp * 1000000), 1000000),
                    bytes(map(int, address.split("."))),
                )
            )
        return b"".join(data)

    def GetFiles(self):
        """Makes the files that are left on the server.

        Returns:
          list[File]: files, directories before what is in them.
        """
        logs = {
            "atop": self._GetAtopLog,
            "auth": self._GetAuthLog,
            "history": self._GetHistory,
            "wtmp": self._GetWtmp,
        }
        files = []
        for path, values in self._story["files"].items():
            username = values.get("user", "root")
            data = None
            mode = stat.S_IFDIR | values.get("mode", 0o755)
            if "target" in values:
                mode = stat.S_IFLNK | 0o777
            elif "text" in values or "log" in values:
                mode = stat.S_IFREG | values.get("mode", 0o644)
                if "text" in values:
                    data = values["text"].encode("ascii")
                else:
                    data = logs[values["log"]](username)
            files.append(
                File(
                    path,
                    int(GetTime(values["time"])),
                    self._users[username],
                    mode,
                    data,
                    values.get("target"),
                )
            )
        return files

    def GetTree(self):
        """Retrieves the tree of all processes.

        Returns:
          dict[tuple[int, int], tuple[int, list[str]]]: identifier of the parent process,
              0 if there is none, and names in their order, per identifier and start in
              seconds since the Epoch.
        """
        return {
            (process.pid, int(process.start_time)): (
                process.parent.pid if process.parent else 0,
                [process.name, *filter(None, [process.change.get("name")])],
            )
            for process in self.processes
        }
