"""Reader of what atop prints of a raw log: "atop -r FILE -P LABEL,...".

Beside most logs in the test data stands the text that the very version of atop which
wrote the log printed of it. What our own reader finds is held against that text, hence
this module must not use anything of it.

A row is a line of columns that are separated by spaces. The names of programs, command
lines, wait channels and cgroups stand in parentheses and are printed as they are: bytes
that may contain spaces, parentheses, control characters and no valid UTF-8.
"""

import functools
import gzip
import re

# Columns per label after the six that all rows have, with the version of atop that
# introduced them. Where a column is a member of a C structure it has the name of that.
# After the name stands the type: none for a number, "()" for text in parentheses, "c"
# for a single character, "w" for a word, "y" for y or n. Before a name with a "~" the
# space can be missing.
_COLUMNS = {
    "PRG": (
        (
            (1, 23),
            "pid name:() state:c ruid rgid tgid nthr excode btime cmdline:() ppid "
            "nthrrun nthrslpi nthrslpu",
        ),
        ((1, 26), "euid egid suid sgid fsuid fsgid elaps"),
        ((1, 27), "isproc:y"),
        ((2, 2), "vpid ctid"),
        ((2, 3), "container:w"),
        ((2, 6), "new:w"),
        ((2, 8), "cgroup:()"),
        ((2, 9), "end_time"),
        ((2, 10), "nthridle"),
    ),
    "PRC": (
        (
            (1, 23),
            "pid name:() state:c hertz utime stime nice prio rtprio policy curcpu "
            "sleepavg",
        ),
        ((1, 27), "tgid isproc:y"),
        ((2, 6), "rundelay wchan:()"),
        ((2, 8), "blkdelay cgcpumax cgcpumaxr"),
        ((2, 9), "nvcsw nivcsw"),
    ),
    "PRM": (
        (
            (1, 23),
            "pid name:() state:c pagesize vmem rmem vexec vgrow rgrow minflt majflt",
        ),
        ((1, 27), "vlibs vdata vstack vswap tgid isproc:y"),
        ((2, 1), "pmem"),
        ((2, 6), "vlock"),
        ((2, 8), "cgmemmax cgmemmaxr cgswpmax cgswpmaxr"),
    ),
    "PRD": (
        (
            (1, 23),
            "pid name:() state:c has_patch:y has_iostat:y rio rsz wio wsz cwsz",
        ),
        # 1.27 and 2.0 print "17n y" and all others "17 n y".
        ((1, 27), "tgid ~unused:y isproc:y"),
    ),
    "PRN": (
        (
            (1, 23),
            "pid name:() state:c has_network:y tcpsnd tcpssz tcprcv tcprsz udpsnd "
            "udpssz udprcv udprsz rawsnd rawrcv",
        ),
        ((1, 27), "tgid isproc:y"),
    ),
    # Since 2.13 only printed where there is a GPU, which no real log shows.
    "PRE": (
        (
            (2, 4),
            "pid name:() state:c gpustate:c nrgpus gpulist:w gpubusy membusy memnow "
            "memcum gpusample",
        ),
    ),
    "CPL": (((1, 23), "nrcpu lavg1:w lavg5:w lavg15:w csw devint"),),
}

# Likewise of the system. Names of one version are used for all, what is printed as 0
# whatever it is has the name "zero".
_DISK_COLUMNS = (
    ((1, 26), "name:w io_ms nread nrsect nwrite nwsect"),
    ((2, 7), "ndisc ndsect"),
    ((2, 8), "inflight queue_depth:w"),
)

_COLUMNS.update(
    {
        "CPU": (
            (
                (1, 23),
                "hertz nrcpu stime utime ntime itime wtime Itime Stime steal",
            ),
            ((1, 26), "guest frequency frequency_percent"),
            ((2, 4), "instr cycle"),
        ),
        "DSK": _DISK_COLUMNS,
        "LVM": _DISK_COLUMNS,
        "MDD": _DISK_COLUMNS,
        "MEM": (
            ((1, 23), "pagesize physmem freemem cachemem buffermem slabmem"),
            ((1, 26), "cachedrt"),
            ((2, 0), "slabreclaim"),
            (
                (2, 1),
                "vmwballoon shmem shmrss shmswp hugepagesz tothugepage freehugepage",
            ),
            ((2, 6), "zfsarcsize"),
            ((2, 7), "ksmsharing ksmshared"),
            ((2, 8), "tcpsock udpsock pagetables"),
            (
                (2, 10),
                "lhugepagesz ltothugepage lfreehugepage availablemem anonhugepage",
            ),
        ),
        "NET": (
            ((1, 23), "name:w rpack rbyte spack sbyte speed duplex"),
            (
                (2, 12),
                "rerrs rdrop rfifo rcompr rframe rmultic serrs sdrop sfifo scompr "
                "scollis scarrier",
            ),
        ),
        # The row of the protocols, sums of those of IPv4 and IPv6.
        "NET upper": (
            (
                (1, 23),
                "label:w InSegs OutSegs InDatagrams OutDatagrams InReceives "
                "OutRequests InDelivers ForwDatagrams",
            ),
            (
                (2, 6),
                "UdpInErrors NoPorts ActiveOpens PassiveOpens CurrEstab RetransSegs "
                "InErrs OutRsts",
            ),
            ((2, 10), "InCsumErrors"),
        ),
        "NFC": (((2, 2), "rpccnt rpcread rpcwrite rpcretrans rpcautrefresh"),),
        "NFS": (
            (
                (2, 2),
                "rpccnt rpcread rpcwrite nrbytes nwbytes rpcbadfmt rpcbadaut rpcbadcln "
                "netcnt nettcpcnt netudpcnt nettcpcon rchits rcmiss rcnoca",
            ),
        ),
        "PAG": (
            ((1, 23), "pagesize pgscans allocstall zero swins swouts"),
            ((2, 7), "oomkills compactstall pgmigrate numamigrate"),
            ((2, 8), "pgins pgouts"),
            ((2, 10), "zswins zswouts"),
        ),
        # Averages of 10, 60 and 300 seconds, and the total.
        "PSI": (
            (
                (2, 4),
                "present:y "
                "cpusome10:w cpusome60:w cpusome300:w cpusome "
                "memsome10:w memsome60:w memsome300:w memsome "
                "memfull10:w memfull60:w memfull300:w memfull "
                "iosome10:w iosome60:w iosome300:w iosome "
                "iofull10:w iofull60:w iofull300:w iofull",
            ),
        ),
        "SWP": (
            ((1, 23), "pagesize totswap freeswap zero committed commitlim"),
            ((2, 7), "swapcached zswapped zswap"),
        ),
    }
)

# Columns of a CGR row of type C after the path of the cgroup, with the name of the part
# of the cstat that the C member is in.
CGROUP_COLUMNS = (
    "gen.nprocs gen.procsbelow cpu.utime cpu.stime conf.cpuweight conf.cpumax "
    "mem.current mem.anon mem.file mem.kernel mem.shmem conf.memmax conf.swpmax "
    "dsk.rbytes dsk.wbytes dsk.rios dsk.wios conf.dskweight cpu.somepres cpu.fullpres "
    "mem.somepres mem.fullpres dsk.somepres dsk.fullpres"
).split()

_PATTERNS = {
    "": rb"(-?\d+)",
    "()": rb"\((.*)\)",
    "c": rb"(.)",
    "w": rb"(\S+)",
    "y": rb"([yn])",
}

_HEADER_REGEX = re.compile(
    rb"([A-Za-z]{3}) (\S+) (-?\d+) \d{4}/\d\d/\d\d \d\d:\d\d:\d\d (\d+) "
)

# A command line can end in a newline, hence not every newline ends a row.
_END_OF_ROW_REGEX = re.compile(
    rb"\n(?=RESET\n|SEP\n|\Z|%s)" % _HEADER_REGEX.pattern.replace(b"(", b"(?:")
)


class Sample:
    """What atop printed of a sample.

    Attributes:
      cgroups (list[dict[str, int|bytes|list[int]]]): cgroups: "path", "pids" and
          the columns, in the order of the text.
      curtime (int): time of the sample in seconds since the Epoch.
      interval (int): interval in seconds.
      is_boot (bool): True if the sample is the first of a run of atop.
      nodename (bytes): name of the host.
      rows (dict[str, list[dict[str, int|bytes|bool]]]): columns of the rows per label,
          in the order of the text. "y" and "n" are given as bool.
    """

    def __init__(self, is_boot):
        """Initializes a sample.

        Args:
          is_boot (bool): True if RESET stands before the sample.
        """
        super().__init__()
        self.cgroups = []
        self.curtime = None
        self.interval = None
        self.is_boot = is_boot
        self.nodename = None
        self.rows = {label: [] for label in _COLUMNS}

    def GetTasks(self):
        """Retrieves the tasks.

        Yields:
          dict[str, int|bytes|bool]: columns of all rows of a task.
        """
        labels = ("PRG", "PRC", "PRM", "PRD", "PRN")
        for rows in zip(*(self.rows[label] for label in labels), strict=True):
            task = {}
            for row in rows:
                if row["pid"] != rows[0]["pid"] or row["name"] != rows[0]["name"]:
                    raise ValueError("rows of different tasks")
                task = {**row, **task}
            yield task


@functools.lru_cache(maxsize=None)
def _GetColumns(label, version):
    """Retrieves the columns of a label.

    Args:
      label (str): label.
      version (tuple[int, int]): version of atop.

    Returns:
      tuple[list[tuple[str, str]], re.Pattern]: name and type of the columns, and a
          regular expression with a group for each of them.
    """
    columns = []
    pattern = b""
    for introduced, text in _COLUMNS[label]:
        if introduced <= version:
            for column in text.split():
                name, _, column_type = column.partition(":")
                if columns:
                    pattern += b" ?" if name.startswith("~") else b" "
                columns.append((name.lstrip("~"), column_type))
                pattern += _PATTERNS[column_type]

    return columns, re.compile(pattern, re.DOTALL)


def _ReadRow(label, version, data):
    """Reads the columns of a row.

    Args:
      label (str): label.
      version (tuple[int, int]): version of atop.
      data (bytes): row after the columns that all rows have.

    Returns:
      dict[str, int|bytes|bool]: columns.

    Raises:
      ValueError: if these are not the columns of the version.
    """
    columns, regex = _GetColumns(label, version)

    # All of the row has to match, from both ends: what stands between the columns of
    # the one and the other is a command line, whatever it contains.
    match = regex.fullmatch(data)
    if not match:
        raise ValueError(f"unsupported {label:s} row: {data!r}")

    row = {}
    for (name, column_type), value in zip(columns, match.groups()):
        if column_type == "":
            value = int(value)
        elif column_type == "y":
            value = value == b"y"
        row[name] = value

    return row


def _ReadCgroupRow(cgroups, data):
    """Reads a CGR row.

    Args:
      cgroups (list[dict[str, int|bytes|list[int]]]): cgroups of the sample so far.
      data (bytes): row after the columns that all rows have.

    Raises:
      ValueError: if the row is not supported.
    """
    if data.startswith(b"C "):
        path, *values = data[2:].rsplit(b" ", len(CGROUP_COLUMNS))
        cgroup = dict(zip(CGROUP_COLUMNS, map(int, values), strict=True))
        cgroups.append({**cgroup, "path": path, "pids": []})
        return

    # The processes of the cgroup of the row before.
    prefix = b"P %s " % cgroups[-1]["path"]
    if not data.startswith(prefix):
        raise ValueError(f"unsupported CGR row: {data!r}")

    cgroups[-1]["pids"] = [int(value) for value in data[len(prefix) :].split()]


def ReadSamples(path, version):
    """Reads what atop printed of a raw log.

    Args:
      path (str): path of the text, compressed with gzip.
      version (tuple[int, int]): version of atop.

    Returns:
      list[Sample]: samples.

    Raises:
      ValueError: if the text is not supported.
    """
    with gzip.open(path) as file_object:
        data = file_object.read()

    samples = []
    sample = None
    is_boot = False

    for row in _END_OF_ROW_REGEX.split(data):
        if row in (b"", b"RESET", b"SEP"):
            is_boot = row == b"RESET"
            sample = None
            continue

        match = _HEADER_REGEX.match(row)
        if not match:
            raise ValueError(f"unsupported row: {row!r}")

        label = match[1].decode("ascii")
        values = (match[2], int(match[3]), int(match[4]))
        if sample is None:
            sample = Sample(is_boot)
            sample.nodename, sample.curtime, sample.interval = values
            samples.append(sample)
        elif values != (sample.nodename, sample.curtime, sample.interval):
            raise ValueError(f"row of another sample: {row!r}")

        if label == "NET" and row[match.end() :].startswith(b"upper "):
            label = "NET upper"

        if label in _COLUMNS:
            columns = _ReadRow(label, version, row[match.end() :])
            sample.rows[label].append(columns)
        elif label == "CGR":
            _ReadCgroupRow(sample.cgroups, row[match.end() :])

    if version < (1, 26):
        # Does not print RESET, but every task is new in the first sample of a run.
        for sample in samples:
            sample.is_boot = all(row["excode"] < 0 for row in sample.rows["PRG"])

    return samples
