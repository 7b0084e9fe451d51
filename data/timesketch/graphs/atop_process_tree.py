"""Timesketch graphs of the processes that atop recorded.

Needs nothing but Timesketch, which knows the graphs once this module is imported.
"""

import bisect
import operator

from timesketch.lib.graphs import interface
from timesketch.lib.graphs import manager


class _Process:
    """Process.

    Attributes:
      children (list[_Process]): processes that it started.
      command_line (str): command line or None if not known.
      end (int): time of its exit in microseconds since January 1, 1970, None if not
          known.
      events (list[dict[str, object]]): events of its start, one per log that holds it.
      is_tagged (bool): True if an event has a tag besides that of every process.
      name (str): name.
      parent (_Process): parent process, None if atop did not record it.
      parent_name (str): name of the parent process or None if not known.
      pid (int): process identifier.
      ppid (int): process identifier of the parent process, 0 if there is none.
      start (int): time of its start in microseconds since January 1, 1970.
      user (str): name, or else identifier, of the user.
    """

    def __init__(self, event):
        """Initializes a process.

        Args:
          event (dict[str, object]): event of its start.
        """
        source = event["_source"]
        user = source.get("username") or source.get("user_identifier")
        self.children = []
        self.command_line = source.get("command_line")
        self.end = None
        self.events = []
        self.is_tagged = False
        self.name = source.get("process_name") or "?"
        self.parent = None
        self.parent_name = source.get("parent_process_name")
        self.pid = int(source["pid"])
        self.ppid = int(source.get("ppid") or 0)
        self.start = int(source["timestamp"])
        self.user = "" if user is None else f"{user!s}"

    def Add(self, event):
        """Adds the values of an event of its start.

        Args:
          event (dict[str, object]): event.
        """
        source = event["_source"]
        elapsed_time = source.get("elapsed_time")
        if elapsed_time is not None:
            self.end = self.start + 1000 * int(elapsed_time)
        self.command_line = self.command_line or source.get("command_line")
        self.events.append(event)


class AtopProcessTreeGraph(interface.BaseGraphPlugin):
    """Graph of all processes, without the threads of the kernel.

    A parent process is the one that had the identifier when its child was started.
    What a process started several times, and what started nothing itself, is one node.
    """

    NAME = "AtopProcessTree"
    DISPLAY_NAME = "atop process tree"
    DESCRIPTION = "Which process started which, as recorded by atop"

    # Of every process.
    _COMMON_TAGS = frozenset(["application_execution"])

    _MAXIMUM_COMMAND_LINE_LENGTH = 80

    _QUERY = (
        'data_type:"linux:atop:process" AND timestamp_desc:"Start Time"'
        " AND _exists_:pid"
        ' AND NOT (ppid:2 AND parent_process_name:"kthreadd")'
        ' AND NOT (pid:2 AND process_name:"kthreadd")'
    )

    _CHANGE_QUERY = (
        'data_type:"linux:atop:process_change" AND _exists_:pid AND _exists_:tag'
    )

    _RETURN_FIELDS = (
        "command_line",
        "datetime",
        "elapsed_time",
        "hostname",
        "parent_process_name",
        "pid",
        "ppid",
        "process_name",
        "tag",
        "timestamp",
        "user_identifier",
        "username",
    )

    # The start of a process can differ by a second between two runs of atop.
    _TOLERANCE = 1000000

    def _AddEdge(self, source, target, label, graph_events):
        """Adds an edge to the graph.

        Args:
          source (str): identifier of the node of the parent process.
          target (str): identifier of the node of the process.
          label (str): label.
          graph_events (list[dict[str, object]]): events to show with the edge.
        """
        identifiers = {}
        for event in graph_events[: interface.MAX_EVENTS_PER_EDGE]:
            identifiers.setdefault(event["_index"], []).append(event["_id"])

        self.graph.nx_instance.add_edge(
            source,
            target,
            events=identifiers,
            id=f"{source:s} {target:s}",
            label=label,
        )

    def _AddNode(self, identifier, label, node_type):
        """Adds a node to the graph.

        Args:
          identifier (str): identifier.
          label (str): label.
          node_type (str): type.

        Returns:
          str: identifier.
        """
        self.graph.nx_instance.add_node(
            identifier, id=identifier, label=label, type=node_type
        )
        return identifier

    def _AddProcesses(self, hostname, parent, processes):
        """Adds processes and what these started to the graph.

        Args:
          hostname (str): name of the host.
          parent (str): identifier of the node that started the processes.
          processes (list[_Process]): processes.
        """
        # Not recursive, as a tree can be deeper than Python's stack.
        pending = [(parent, processes)]
        while pending:
            parent, processes = pending.pop()

            groups = {}
            for process in processes:
                key = (process.name, process.command_line, process.user)
                if process.children:
                    key += (process.pid, process.start)
                groups.setdefault(key, []).append(process)

            for group in groups.values():
                process = group[0]
                identifier = self._AddNode(
                    f"{hostname:s} {process.pid:d} {process.start:d}",
                    self._GetLabel(group),
                    "process",
                )
                graph_events = [event for item in group for event in item.events]
                self._AddEdge(
                    parent, identifier, self._GetStart(graph_events), graph_events
                )
                pending.append((identifier, process.children))

    def _FindProcess(self, processes, pid, timestamp):
        """Finds the process that had an identifier at some time.

        Args:
          processes (dict[int, list[_Process]]): processes of a host in the order of
              their start, per identifier.
          pid (int): process identifier.
          timestamp (int): time in microseconds since January 1, 1970.

        Returns:
          _Process: process or None if atop recorded none.
        """
        candidates = processes.get(pid, [])
        index = bisect.bisect_right(
            candidates,
            timestamp + self._TOLERANCE,
            key=operator.attrgetter("start"),
        )
        if index == 0:
            return None

        process = candidates[index - 1]
        if process.end is not None and process.end + self._TOLERANCE < timestamp:
            return None

        return process

    def _GetLabel(self, processes):
        """Retrieves the label of processes that share a node.

        Args:
          processes (list[_Process]): processes.

        Returns:
          str: label.
        """
        process = processes[0]
        title = f"{process.name:s} ({process.pid:d})"
        if len(processes) > 1:
            title = f"{process.name:s} ({len(processes):d} times)"

        command_line = process.command_line or ""
        if len(command_line) > self._MAXIMUM_COMMAND_LINE_LENGTH:
            command_line = f"{command_line[: self._MAXIMUM_COMMAND_LINE_LENGTH]:s}..."

        return "\n".join(filter(None, (title, process.user, command_line)))

    def _GetStart(self, graph_events):
        """Retrieves when the first of some processes was started.

        Args:
          graph_events (list[dict[str, object]]): events of their start.

        Returns:
          str: date and time.
        """
        date_time = min(event["_source"]["datetime"] for event in graph_events)
        return date_time[:19].replace("T", " ")

    def _ReadProcesses(self):
        """Reads the processes, with their parent processes and children.

        Returns:
          dict[str, dict[int, list[_Process]]]: processes in the order of their start,
              per identifier per host.
        """
        events = self.event_stream(
            query_string=self._QUERY, return_fields=list(self._RETURN_FIELDS)
        )
        hosts = {}
        for event in sorted(events, key=lambda event: event["_source"]["timestamp"]):
            source = event["_source"]
            processes = hosts.setdefault(source.get("hostname") or "?", {})
            instances = processes.setdefault(int(source["pid"]), [])
            # The log of the next day holds it again.
            if (
                not instances
                or source["timestamp"] - instances[-1].start > self._TOLERANCE
            ):
                instances.append(_Process(event))
            instances[-1].Add(event)
            if set(source.get("tag") or ()) - self._COMMON_TAGS:
                instances[-1].is_tagged = True

        for processes in hosts.values():
            for instances in processes.values():
                for process in instances:
                    parent = self._FindProcess(processes, process.ppid, process.start)
                    if parent is not process:
                        process.parent = parent
                    if process.parent:
                        process.parent.children.append(process)

        return hosts

    def _SelectProcesses(self, hosts):
        """Selects the processes of the graph.

        Args:
          hosts (dict[str, dict[int, list[_Process]]]): processes in the order of their
              start, per identifier per host.

        Returns:
          dict[str, list[_Process]]: processes per host.
        """
        return {
            hostname: [
                process for instances in processes.values() for process in instances
            ]
            for hostname, processes in hosts.items()
        }

    def generate(self):
        """Generates the graph.

        Returns:
          Graph: graph.
        """
        for hostname, processes in self._SelectProcesses(self._ReadProcesses()).items():
            host = self._AddNode(hostname, hostname, "computer")

            roots = {}
            for process in processes:
                if not process.parent:
                    key = (process.ppid, process.parent_name)
                    roots.setdefault(key, []).append(process)

            for (ppid, name), children in roots.items():
                parent = host
                if ppid:
                    # Only its children name this process.
                    parent = self._AddNode(
                        f"{hostname:s} {ppid:d} {name!s}",
                        f"{name or '?':s} ({ppid:d})",
                        "process",
                    )
                    self._AddEdge(host, parent, "not recorded", children[0].events)
                self._AddProcesses(hostname, parent, children)

        return self.graph


class AtopTaggedProcessTreeGraph(AtopProcessTreeGraph):
    """Graph of tagged processes, with their ancestors and descendants."""

    NAME = "AtopTaggedProcessTree"
    DISPLAY_NAME = "atop process tree of what is tagged"
    DESCRIPTION = (
        "Processes with a tag, what these were started by and what these started, as"
        " recorded by atop"
    )

    def _SelectProcesses(self, hosts):
        """Selects the processes of the graph.

        Args:
          hosts (dict[str, dict[int, list[_Process]]]): processes in the order of their
              start, per identifier per host.

        Returns:
          dict[str, list[_Process]]: processes per host.
        """
        events = self.event_stream(
            query_string=self._CHANGE_QUERY, return_fields=list(self._RETURN_FIELDS)
        )
        for event in events:
            source = event["_source"]
            process = self._FindProcess(
                hosts.get(source.get("hostname") or "?", {}),
                int(source["pid"]),
                int(source["timestamp"]),
            )
            if process and set(source["tag"]) - self._COMMON_TAGS:
                process.is_tagged = True

        selected = {}
        for hostname, processes in super()._SelectProcesses(hosts).items():
            related = set()
            pending = [process for process in processes if process.is_tagged]
            while pending:
                process = pending.pop()
                if process not in related:
                    related.add(process)
                    pending.extend(process.children)

            for process in list(related):
                while process.parent and process.parent not in related:
                    process = process.parent
                    related.add(process)

            for process in related:
                process.children = [
                    child for child in process.children if child in related
                ]

            if related:
                selected[hostname] = [
                    process for process in processes if process in related
                ]

        return selected


manager.GraphManager.register_graph(AtopProcessTreeGraph)
manager.GraphManager.register_graph(AtopTaggedProcessTreeGraph)
