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

File = collections.namedtuple("File", "path time user mode data target removal_time")
File.__doc__ = """File, directory or symbolic link in the image.

Attributes:
  path (str): path without a leading slash.
  time (int): time of the last change in seconds since the Epoch.
  user (tuple[int, int]): identifiers of user and group.
  mode (int): permissions.
  data (bytes): contents of a file, None for a directory or a symbolic link.
  target (str): target of a symbolic link, None for a file or a directory.
  removal_time (int): time in seconds since the Epoch when a file was removed, None if it
      was not.
"""


def GetTime(value, reference=None):
    """Determines a time.

    Args:
      value (object): time of the day of the case, such as "02:07:13.5", date and
          time, or seconds after the reference.
      reference (Optional[float]): time in seconds since the Epoch.

    Returns:
      float: time in seconds since the Epoch, None if there is none.
    """
    if not isinstance(value, str):
        return None if None in (value, reference) else reference + value
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

        self._boot_time = int(GetTime(self._story["boot"]))
        self._halt_time = GetTime(self._story["halt"])
        self._histories = collections.defaultdict(str)
        self._messages = []
        self._processes = []
        self._processes_per_id = {}
        self._random = random.Random(17)
        self._sessions = {}
        self._users = {}
        for line in self._story["files"]["etc/passwd"]["text"].splitlines():
            username, _, *identifiers = line.split(":")[:4]
            self._users[username] = tuple(map(int, identifiers))

        # Services are started after the boot, schedules end before the halt.
        values = {"end": None, "start": self._boot_time + 8}
        for entry in self._story["system"]:
            self._Run(entry, {**values, "parent": self._processes_per_id.get("init")})
        for entry in self._story["schedule"]:
            end_time = int(self._halt_time - 60)
            first_time = int(GetTime(entry["start"]))
            for start_time in range(first_time, end_time, entry["every"]):
                self._Run({**entry, "start": 0}, {**values, "start": start_time})
        start_time = GetTime("00:03:00")
        while start_time < self._halt_time - 3600:
            start_time += self._random.randrange(600, 2400)
            entry = {
                "template": "guess",
                "address": f"198.51.100.{self._random.randrange(100, 200):d}",
                "account": self._random.choice(self._story["guesses"]),
                "port": self._random.randrange(32768, 60999),
            }
            self._Run(entry, {**values, "start": start_time})
        for entry in self._story["events"]:
            self._Run(entry, values)

        # As a kernel does.
        pid = self._story["first_pid"]
        gaps = random.Random(pid)
        for process in sorted(self._processes, key=lambda process: process.start):
            if not process.pid:
                process.pid = pid
                pid += process.number_of_threads + gaps.choice((0, 0, 0, 1, 2))

    def _AddProcess(self, entry, values):
        """Adds a process.

        Args:
          entry (dict[str, object]): entry of the process.
          values (dict[str, object]): values of the entry, see _Run.

        Returns:
          server.Process: process.
        """
        parent = values["parent"]
        process = server.Process(
            **self._story["defaults"],
            group=getattr(parent, "group", "/"),
            name=values["command"].split(" ")[0].rpartition("/")[2].strip("-:"),
        )
        for name in ("end", "parent", "start", *entry):
            setattr(process, name, values[name])
        process.change_time = GetTime(process.change_time, 0)
        process.user = self._users[values["user"]] if "user" in entry else parent.user
        if "unit" in entry:
            process.group = f"/system.slice/{entry['unit']:s}.service"
        self._processes.append(process)
        if "id" in entry:
            self._processes_per_id[entry["id"]] = process
        return process

    def _Run(self, entry, outer_values):
        """Runs a process, or those of a template, and what these log.

        Args:
          entry (dict[str, object]): entry.
          outer_values (dict[str, object]): values of what it stands in: those of that
              entry, "start" and "end" as seconds since the Epoch, "parent" as process.

        Returns:
          server.Process: process, the last one of a template.
        """
        if "shell" in entry:
            outer_values = self._sessions[entry["shell"]]
        values = dict(outer_values)
        for name, value in entry.items():
            values[name] = value.format(**values) if isinstance(value, str) else value
        if "username" in entry:
            values["uid"] = self._users[values["username"]][0]
        values["start"] = GetTime(entry.get("start", 0), outer_values["start"])
        values["end"] = GetTime(entry.get("end"), outer_values["end"])
        if "seconds" in entry:
            values["end"] = values["start"] + entry["seconds"]
        if "parent" in entry:
            parent = entry["parent"]
            values["parent"] = self._processes_per_id[parent] if parent else None

        template = {}
        if "template" in entry:
            template = self._story["templates"][entry["template"]]
        for process_entry in template.get("processes", ()):
            values["parent"] = self._Run(process_entry, values)
        if "command" in entry and not template:
            values["parent"] = self._AddProcess(entry, values)

        for message in (template or entry).get("messages", ()):
            offset, program, text = message.format(**values).split(" ", 2)
            name = "end" if offset.startswith("end") else "start"
            timestamp = GetTime(float(offset.removeprefix("end")), values[name])
            if timestamp is not None:
                # The log has microseconds.
                timestamp += self._random.randrange(1000) / 1e6
                program, _, identifier = program.rstrip(":]").partition("[")
                process = self._processes_per_id[identifier] if identifier else None
                self._messages.append((timestamp, program, process, text))

        if "session" in entry:
            self._sessions[entry["session"]] = values
        if "shell" in entry:
            command = values["typed" if "typed" in entry else "command"]
            line = f"#{int(values['start']):d}\n{command:s}\n"
            self._histories[values["username"]] += line
        return values["parent"]

    def _GetAuthLog(self):
        """Makes the log of authentication.

        Returns:
          str: contents of the log.
        """
        lines = []
        for timestamp, program, process, text in self._messages:
            date_time = datetime.datetime.fromtimestamp(
                timestamp, tz=datetime.timezone.utc
            ).isoformat(timespec="microseconds")
            source = f"{program:s}[{process.pid:d}]" if process else program
            lines.append(
                f"{date_time:s} {self._story['hostname']:s} {source:s}: {text:s}\n"
            )
        # Each begins with its time.
        return "".join(sorted(lines))

    def _GetWtmp(self):
        """Makes the log of logins.

        Returns:
          bytes: contents of the log.
        """
        # The kinds are those of utmp(5): boot, run level, user and end of a process.
        kernel = (0, "~", "~~", server.KERNEL_RELEASE, "0.0.0.0")
        logins = [
            (self._boot_time, 2, "reboot", *kernel),
            (self._halt_time - 2, 1, "shutdown", *kernel),
        ]
        for values in self._sessions.values():
            process = values["parent"].parent
            terminal = (process.parent.pid, values["terminal"], values["terminal"][-4:])
            login = (values["username"], *terminal, *(values["address"],) * 2)
            logins.append((process.start, 7, *login))
            if process.end:
                logins.append((process.end, 8, "", *terminal, "", "0.0.0.0"))

        data = b""
        for timestamp, kind, username, pid, *texts, address in sorted(logins):
            terminal, identifier, host = (text.encode("ascii") for text in texts)
            data += struct.pack(
                "<hxxi32s4s32s256s8xii4s32x",
                *(kind, pid, terminal, identifier, username.encode("ascii"), host),
                *divmod(int(timestamp * 1000000), 1000000),
                bytes(map(int, address.split("."))),
            )
        return data

    def _GetLog(self, start_time, end_time):
        """Makes the log of a run of atop.

        Args:
          start_time (int): time of the first sample in seconds since the Epoch.
          end_time (int): time of the last one, which atop makes when it is stopped.

        Returns:
          bytes: contents of the log.
        """
        times = [*range(start_time, end_time, 600), end_time]
        return server.GetLog(
            self._story["hostname"], self._boot_time, self._processes, times
        )

    def GetFiles(self):
        """Makes the files that are left on the server, and what can be carved there.

        Returns:
          list[File]: files, directories before what is in them.
        """
        # At midnight atop is stopped, and started again for the next day.
        midnight = int(GetTime("00:00:00"))
        contents = {
            "var/log/atop/atop_20260916": self._GetLog(midnight - 86399, midnight),
            "var/log/atop/atop_20260917": self._GetLog(
                midnight + 1, int(self._halt_time)
            ),
            "var/log/auth.log": self._GetAuthLog(),
            "var/log/wtmp": self._GetWtmp(),
        }
        for username, text in self._histories.items():
            contents[f"home/{username:s}/.bash_history"] = text

        files = []
        for path, values in self._story["files"].items():
            data = contents.get(path, values.get("text"))
            if isinstance(data, str):
                data = data.encode("ascii")
            mode = values.get("mode", 0o755 if data is None else 0o644)
            user = self._users[values.get("user", "root")]
            removal_time = values.get("removed")
            files.append(
                File(
                    path=path,
                    time=int(GetTime(values["time"])),
                    user=user,
                    mode=mode,
                    data=data,
                    target=values.get("target"),
                    removal_time=removal_time and int(GetTime(removal_time)),
                )
            )
        return files

    def GetTree(self):
        """Retrieves the tree of all processes.

        Returns:
          dict[tuple[int, int], tuple[int, list[str]]]: identifier of the parent, 0 if
              there is none, and names in their order, per identifier and start in
              seconds since the Epoch.
        """
        tree = {}
        for process in self._processes:
            names = [process.name, *filter(None, [process.change.get("name")])]
            parent_pid = process.parent.pid if process.parent else 0
            tree[process.pid, int(process.start)] = (parent_pid, names)
        return tree
