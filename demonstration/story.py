"""Makes the files of the server of the demonstration case from story.yaml."""

import calendar
import collections
import datetime
import os
import random
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
  mode (int): permissions.
  data (bytes): contents of a file, None for a directory or a symbolic link.
  target (str): target of a symbolic link, None for a file or a directory.
"""

Scope = collections.namedtuple("Scope", ["parent", "start_time", "end_time", "values"])
Scope.__doc__ = """What a process of the table is part of.

Attributes:
  parent (server.Process): parent process, None if it has none.
  start_time (float): start in seconds since the Epoch, None if times are not relative.
  end_time (float): end in seconds since the Epoch, None if there is none.
  values (dict[str, object]): values in texts.
"""


def GetTime(value):
    """Determines a time.

    Args:
      value (str): time of the day of the case, such as "02:07:13.5", or date and time.

    Returns:
      float: time in seconds since the Epoch.
    """
    if " " not in value:
        value = f"2026-09-17 {value:s}"
    value, _, fraction = value.partition(".")
    seconds = calendar.timegm(time.strptime(value, "%Y-%m-%d %H:%M:%S"))
    return seconds + float(f"0.{fraction or '0':s}")


class Story:
    """What happened on the server, and what it left there."""

    def __init__(self):
        """Initializes a story."""
        super().__init__()
        with open(_PATH, encoding="utf-8") as file_object:
            self._story = yaml.safe_load(file_object)

        self._files = {values["path"]: values for values in self._story["files"]}
        self._boot_time = int(GetTime(self._story["boot"]))
        self._halt_time = GetTime(self._story["halt"])
        self._logins = []
        self._messages = []
        self._processes = []
        self._processes_per_id = {}
        self._random = random.Random(17)
        self._users = {}
        for line in self._files["etc/passwd"]["text"].splitlines():
            username, _, *identifiers = line.split(":")[:4]
            self._users[username] = tuple(map(int, identifiers))

        # The identifier of the miner is not known before all processes are.
        values = {**self._story["values"], "miner": "{miner}"}
        scope = Scope(None, self._boot_time, None, values)
        self._RunAll(self._story["system"], scope)
        init = self._processes_per_id["init"]
        services_scope = scope._replace(parent=init, start_time=self._boot_time + 8)
        self._RunAll(self._story["services"], services_scope)
        self._RunKernelThreads(scope)
        self._RunSchedule(scope)
        self._RunGuesses(scope)
        self._RunAll(self._story["events"], scope)

        server.AssignPids(self._processes, self._story["first_pid"])
        self._miner_pid = f"{self._processes_per_id['miner'].pid:d}"
        for process in self._processes:
            process.command_line = self._SetMiner(process.command_line)

    def _AddMessages(self, entry, scope):
        """Adds messages to the log of authentication.

        Args:
          entry (dict[str, object]): process or template.
          scope (Scope): what its times refer to.
        """
        for message in entry.get("messages", ()):
            name = "end" if "end" in message else "start"
            timestamp = self._GetTime(message, name, scope)
            if timestamp is not None:
                # The log has microseconds.
                timestamp += self._random.randrange(1000) / 1e6
                program, _, identifier = message["from"].partition(" ")
                process = self._processes_per_id.get(identifier)
                text = message["text"].format(**scope.values)
                self._messages.append((timestamp, program, process, text))

    def _AddProcess(self, entry, scope):
        """Adds a process, and to the log of logins what it logs.

        Args:
          entry (dict[str, object]): process.
          scope (Scope): what it is part of.

        Returns:
          server.Process: process.
        """
        values = scope.values
        parent = self._processes_per_id.get(entry.get("parent"), scope.parent)
        command_line = entry["command"].format(**values)
        name = command_line.partition(" ")[0].rpartition("/")[2].strip("-:")
        start_time = self._GetTime(entry, "start", scope)
        end_time = self._GetTime(entry, "end", scope)
        if "seconds" in entry:
            end_time = start_time + entry["seconds"]

        group = entry.get("group", parent.group if parent else "/")
        if "unit" in entry:
            group = f"/system.slice/{entry['unit']:s}.service"
        user = parent.user if parent else (0, 0)
        if "user" in entry:
            user = self._users[entry["user"].format(**values)]

        process = server.Process(
            parent,
            entry.get("name", name),
            command_line,
            start_time,
            end_time,
            group.format(**values),
            user,
            **{key: entry[key] for key in server.VALUES if key in entry},
        )
        if "change" in entry:
            change = {**entry["change"], "user": self._users[entry["change"]["user"]]}
            process.change_time = GetTime(change.pop("time"))
            process.change = change
        self._processes.append(process)
        if "id" in entry:
            self._processes_per_id[entry["id"]] = process

        if entry.get("is_login"):
            names = (values["username"], values["terminal"], values["address"])
            self._logins.append((start_time, _UTMP_USER, parent, *names))
            if end_time:
                names = ("", values["terminal"], _NO_ADDRESS)
                self._logins.append((end_time, _UTMP_DEAD, parent, *names))
        return process

    def _GetTime(self, entry, name, scope):
        """Determines the start or the end of a process, or the time of a message.

        Args:
          entry (dict[str, object]): process or message.
          name (str): "start" or "end".
          scope (Scope): what the time refers to.

        Returns:
          float: time in seconds since the Epoch, None if it has none.
        """
        is_start = name == "start"
        value = entry.get(name, 0 if is_start else None)
        if isinstance(value, str):
            return GetTime(value)
        reference = scope.start_time if is_start else scope.end_time
        return None if None in (value, reference) else reference + value

    def _RunAll(self, entries, scope):
        """Runs processes and what these log.

        Args:
          entries (list[dict[str, object]]): processes and uses of templates.
          scope (Scope): what they are part of.
        """
        for entry in entries:
            if "template" in entry:
                self._RunTemplate(entry, scope)
                continue

            pids = entry.get("pid", 0)
            for pid in pids if isinstance(pids, list) else [pids]:
                process = self._AddProcess({**entry, "pid": pid}, scope)
            self._AddMessages(entry, scope._replace(start_time=process.start_time))

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
            self._RunTemplate(entry, scope._replace(start_time=start_time))

    def _RunKernelThreads(self, scope):
        """Runs the threads of the kernel.

        Args:
          scope (Scope): what they are part of.
        """
        scope = scope._replace(parent=self._processes_per_id["kthreadd"])
        for pid, name in enumerate(self._story["kernel_threads"].split(), 3):
            cpu = self._story["kernel_threads_cpu"].get(name, 0.0)
            entry = {"command": "", "cpu": cpu, "name": name, "pid": pid}
            self._AddProcess(entry, scope)

    def _RunSchedule(self, scope):
        """Runs what is scheduled.

        Args:
          scope (Scope): what it is part of.
        """
        end_time = int(self._halt_time - 60)
        for entry in self._story["schedule"]:
            first_time = int(GetTime(entry["first"]))
            for start_time in range(first_time, end_time, entry["every"]):
                self._RunTemplate(entry, scope._replace(start_time=start_time))

    def _RunTemplate(self, entry, scope):
        """Runs the processes of a template, one the parent process of the next.

        Args:
          entry (dict[str, object]): use of the template.
          scope (Scope): what it is part of.
        """
        values = dict(scope.values)
        for name, value in entry.items():
            values[name] = value.format(**values) if isinstance(value, str) else value
        if "username" in entry:
            values["key"] = values.get(values["username"])
            values["uid"] = self._users[values["username"]][0]

        start_time = self._GetTime(entry, "start", scope)
        end_time = GetTime(entry["end"]) if "end" in entry else None
        if "seconds" in entry:
            end_time = start_time + entry["seconds"]

        template = self._story["templates"][entry["template"]]
        process = self._processes_per_id.get(template.get("parent"), scope.parent)
        scope = Scope(process, start_time, end_time, values)
        for process_entry in template["processes"]:
            scope = scope._replace(parent=self._AddProcess(process_entry, scope))
        self._AddMessages(template, scope)
        self._RunAll(entry.get("children", ()), scope)

    def _GetAtopLog(self):
        """Makes the log of atop, which makes a last sample when the server is halted.

        Returns:
          bytes: contents of the log.
        """
        halt_time = int(self._halt_time)
        times = [*range(int(GetTime("00:00:01")), halt_time, _INTERVAL), halt_time]
        return server.GetLog(
            self._story["hostname"], self._boot_time, self._processes, times
        )

    def _GetAuthLog(self):
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
                f"{self._SetMiner(text):s}\n"
            )
        return "".join(lines).encode("utf-8")

    def _GetHistory(self, username):
        """Makes the history of a shell.

        Args:
          username (str): name of the user.

        Returns:
          bytes: contents of the history.
        """
        values = {**self._story["values"], "miner": self._miner_pid}
        return "".join(
            f"#{int(GetTime(start)):d}\n{command.format(**values):s}\n"
            for start, command in self._story["histories"][username].items()
        ).encode("utf-8")

    def _GetWtmp(self):
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

    def _SetMiner(self, text):
        """Sets the identifier of the miner in a text.

        Args:
          text (str): text.

        Returns:
          str: text.
        """
        return text.replace("{miner}", self._miner_pid)

    def GetFiles(self):
        """Makes the files that are left on the server.

        Returns:
          list[File]: files, directories before what is in them.
        """
        logs = {
            "atop": lambda unused_username: self._GetAtopLog(),
            "auth": lambda unused_username: self._GetAuthLog(),
            "history": self._GetHistory,
            "wtmp": lambda unused_username: self._GetWtmp(),
        }
        files = []
        for path, values in self._files.items():
            username = values.get("user", "root")
            data = None
            if "text" in values:
                data = values["text"].encode("ascii")
            elif "log" in values:
                data = logs[values["log"]](username)
            files.append(
                File(
                    path,
                    int(GetTime(values["time"])),
                    self._users[username],
                    values.get("mode", 0o644),
                    data,
                    values.get("target"),
                )
            )
        return files
