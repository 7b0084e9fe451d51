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

Period = collections.namedtuple("Period", ["start_time", "end_time"])
Period.__doc__ = """Period that the times of processes and messages refer to.

Attributes:
  start_time (float): start in seconds since the Epoch.
  end_time (float): end in seconds since the Epoch, None if there is none.
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
        self._halt_time = GetTime(self._story["halt"])
        self._logins = []
        self._messages = []
        self._processes = {}
        self._random = random.Random(17)
        self._server = server.Server(
            self._story["hostname"], int(GetTime(self._story["boot"]))
        )
        self._users = {}
        for line in self._files["etc/passwd"]["text"].splitlines():
            username, _, *identifiers = line.split(":")[:4]
            self._users[username] = tuple(map(int, identifiers))

        # The identifier of the miner is not known before all processes are.
        values = {**self._story["values"], "miner": "{miner}"}
        self._RunSystem(values)
        self._RunSchedule(values)
        self._RunGuesses(values)
        self._RunAll(self._story["events"], None, Period(None, None), values)

        self._server.AssignPids(self._story["first_pid"])
        for process in self._server.processes:
            process.command_line = self._SetMiner(process.command_line)

    def _AddMessages(self, entry, period, values):
        """Adds messages to the log of authentication.

        Args:
          entry (dict[str, object]): process or template.
          period (Period): period that the times refer to.
          values (dict[str, object]): values in texts.
        """
        for message in entry.get("messages", ()):
            timestamp = self._GetTime(message, "start", period)
            if "end" in message:
                timestamp = self._GetTime(message, "end", period)
            if timestamp is not None:
                # The log has microseconds.
                timestamp += self._random.randrange(1000) / 1e6
                program, _, identifier = message["from"].partition(" ")
                process = self._processes.get(identifier)
                text = message["text"].format(**values)
                self._messages.append((timestamp, program, process, text))

    def _AddProcess(self, entry, parent, period, values):
        """Adds a process, and to the log of logins what it logs.

        Args:
          entry (dict[str, object]): process.
          parent (server.Process): parent process, None if it has none.
          period (Period): period that the times refer to.
          values (dict[str, object]): values in texts.

        Returns:
          server.Process: process.
        """
        command_line = entry["command"].format(**values)
        name = command_line.partition(" ")[0].rpartition("/")[2].strip("-:")
        start_time = self._GetTime(entry, "start", period)
        end_time = self._GetTime(entry, "end", period)
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
            group=group.format(**values),
            user=user,
            **{key: entry[key] for key in server.VALUES if key in entry},
        )
        if "change" in entry:
            change = {**entry["change"], "user": self._users[entry["change"]["user"]]}
            process.change_time = GetTime(change.pop("time"))
            process.change = change
        self._server.processes.append(process)
        if "id" in entry:
            self._processes[entry["id"]] = process

        if entry.get("is_login"):
            terminal = values["terminal"]
            self._logins.append(
                (
                    *(start_time, _UTMP_USER, parent),
                    *(values["username"], terminal, values["address"]),
                )
            )
            if end_time:
                self._logins.append(
                    (end_time, _UTMP_DEAD, parent, "", terminal, _NO_ADDRESS)
                )
        return process

    def _GetTime(self, entry, name, period):
        """Determines the start or the end of a process, or the time of a message.

        Args:
          entry (dict[str, object]): process or message.
          name (str): "start" or "end".
          period (Period): period that the time refers to.

        Returns:
          float: time in seconds since the Epoch, None if it has none.
        """
        value = entry.get(name)
        if isinstance(value, str):
            return GetTime(value)

        is_start = name == "start"
        reference = period.start_time if is_start else period.end_time
        if value is None and is_start:
            value = 0
        return None if None in (value, reference) else reference + value

    def _RunAll(self, entries, parent, period, values):
        """Runs processes, what these log, and their children.

        Args:
          entries (list[dict[str, object]]): processes and uses of templates.
          parent (server.Process): parent process, None if it has none.
          period (Period): period that the times refer to.
          values (dict[str, object]): values in texts.
        """
        for entry in entries:
            entry_parent = self._processes.get(entry.get("parent"), parent)
            if "template" in entry:
                self._RunTemplate(entry, entry_parent, values)
                continue

            pids = entry.get("pid")
            for pid in pids if isinstance(pids, list) else [pids]:
                process = self._AddProcess(
                    {**entry, "pid": pid or 0}, entry_parent, period, values
                )
            start_period = Period(process.start_time, None)
            self._AddMessages(entry, start_period, values)
            self._RunAll(entry.get("children", ()), process, period, values)

    def _RunGuesses(self, values):
        """Runs the daemons of those who guess passwords.

        Args:
          values (dict[str, object]): values in texts.
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
            self._RunTemplate(entry, None, values, start_time)

    def _RunSchedule(self, values):
        """Runs what is scheduled.

        Args:
          values (dict[str, object]): values in texts.
        """
        for entry in self._story["schedule"]:
            for start_time in range(
                int(GetTime(entry["first"])), int(self._halt_time - 60), entry["every"]
            ):
                self._RunTemplate(entry, None, values, start_time)

    def _RunSystem(self, values):
        """Runs what is always there.

        Args:
          values (dict[str, object]): values in texts.
        """
        period = Period(self._server.boot_time, None)
        self._RunAll(self._story["system"], None, period, values)
        threads = [
            {
                "command": "",
                "cpu": self._story["kernel_threads_cpu"].get(name, 0.0),
                "name": name,
                "pid": pid,
            }
            for pid, name in enumerate(self._story["kernel_threads"].split(), 3)
        ]
        self._RunAll(threads, self._processes["kthreadd"], period, values)

    def _RunTemplate(self, entry, parent, values, start_time=None):
        """Runs the processes of a template, one the parent process of the next.

        Args:
          entry (dict[str, object]): use of the template.
          parent (server.Process): parent process, where the template has none.
          values (dict[str, object]): values in texts.
          start_time (Optional[float]): time of the start in seconds since the Epoch,
              None for that of the entry.
        """
        values = dict(values)
        for name, value in entry.items():
            values[name] = value.format(**values) if isinstance(value, str) else value
        if "username" in entry:
            values["key"] = values.get(values["username"])
            values["uid"] = self._users[values["username"]][0]

        if start_time is None:
            start_time = GetTime(entry["start"])
        end_time = GetTime(entry["end"]) if "end" in entry else None
        if "seconds" in entry:
            end_time = start_time + entry["seconds"]
        period = Period(start_time, end_time)

        template = self._story["templates"][entry["template"]]
        process = self._processes.get(template.get("parent"), parent)
        for process_entry in template["processes"]:
            process = self._AddProcess(process_entry, process, period, values)
            self._RunAll(process_entry.get("children", ()), process, period, values)
        self._AddMessages(template, period, values)
        self._RunAll(entry.get("children", ()), process, period, values)

    def _GetAtopLog(self):
        """Makes the log of atop, which makes a last sample when the server is halted.

        Returns:
          bytes: contents of the log.
        """
        halt_time = int(self._halt_time)
        times = list(range(int(GetTime("00:00:01")), halt_time, _INTERVAL))
        return self._server.GetLog(times + [halt_time])

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
                f"{self._server.hostname:s} {program:s}{identifier:s}: "
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
        values = {**self._story["values"], "miner": f"{self._GetMinerPid():d}"}
        return "".join(
            f"#{int(GetTime(start)):d}\n{command.format(**values):s}\n"
            for start, command in self._story["histories"][username].items()
        ).encode("utf-8")

    def _GetMinerPid(self):
        """Retrieves the process identifier of the miner.

        Returns:
          int: process identifier.
        """
        return self._processes["miner"].pid

    def _GetWtmp(self):
        """Makes the log of logins.

        Returns:
          bytes: contents of the log.
        """
        boot_time = self._server.boot_time
        halt_time = self._halt_time - 2
        data = []
        for timestamp, kind, process, username, terminal, address in (
            (boot_time, _UTMP_BOOT, None, "reboot", "~", _NO_ADDRESS),
            *sorted(self._logins, key=lambda login: login[0]),
            (halt_time, _UTMP_RUN_LEVEL, None, "shutdown", "~", _NO_ADDRESS),
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
        return text.replace("{miner}", f"{self._GetMinerPid():d}")

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
