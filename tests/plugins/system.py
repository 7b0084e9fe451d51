"""Tests for the atop raw log system plugin."""

import math
import unittest

from plaso_atop import layouts

import log_builder
from tests.lib import test_lib
from tests.lib import sample_test_lib


class AtopSystemPluginTest(sample_test_lib.SamplePluginTestCase):
    """Tests for the atop raw log system plugin."""

    # pylint: disable=too-many-public-methods

    PLUGIN_NAME = "system"

    # Parts of the CPU time and the C members that they are.
    _CPU_TIMES = {
        "idle": "itime",
        "irq": "Itime",
        "nice": "ntime",
        "softirq": "Stime",
        "steal": "steal",
        "system": "stime",
        "user": "utime",
        "wait": "wtime",
    }

    _BUSY_CPU_TIMES = ("irq", "nice", "softirq", "system", "user")

    _MEMORY_SIZES = {
        "memory_available_size": "availablemem",
        "memory_buffers_size": "buffermem",
        "memory_cached_size": "cachemem",
        "memory_commit_limit_size": "commitlim",
        "memory_committed_size": "committed",
        "memory_dirty_size": "cachedrt",
        "memory_free_size": "freemem",
        "memory_page_tables_size": "pagetables",
        "memory_shared_size": "shmem",
        "memory_size": "physmem",
        "memory_slab_reclaimable_size": "slabreclaim",
        "memory_slab_size": "slabmem",
        "paged_in_size": "pgins",
        "paged_out_size": "pgouts",
        "swap_cached_size": "swapcached",
        "swap_free_size": "freeswap",
        "swap_size": "totswap",
        "swapped_in_size": "swins",
        "swapped_out_size": "swouts",
        "zfs_cache_size": "zfsarcsize",
    }

    _MEMORY_COUNTS = {
        "compaction_stalls": "compactstall",
        "migrated_pages": "pgmigrate",
        "numa_migrated_pages": "numamigrate",
        "oom_kills": "oomkills",
    }

    _NFS_COUNTS = {
        "nfs_client_authentication_refreshes": ("client", "rpcautrefresh"),
        "nfs_client_calls": ("client", "rpccnt"),
        "nfs_client_reads": ("client", "rpcread"),
        "nfs_client_retransmissions": ("client", "rpcretrans"),
        "nfs_client_writes": ("client", "rpcwrite"),
        "nfs_server_bad_authentications": ("server", "rpcbadaut"),
        "nfs_server_bad_clients": ("server", "rpcbadcln"),
        "nfs_server_bad_formats": ("server", "rpcbadfmt"),
        "nfs_server_calls": ("server", "rpccnt"),
        "nfs_server_read_size": ("server", "nrbytes"),
        "nfs_server_reads": ("server", "rpcread"),
        "nfs_server_tcp_connections": ("server", "nettcpcon"),
        "nfs_server_writes": ("server", "rpcwrite"),
        "nfs_server_written_size": ("server", "nwbytes"),
    }

    _PRESSURES = {
        "cpu_pressure_some": "cpusome",
        "io_pressure_full": "iofull",
        "io_pressure_some": "iosome",
        "memory_pressure_full": "memfull",
        "memory_pressure_some": "memsome",
    }

    # Attributes and the C members for IPv4 and IPv6 that they are the sum of.
    _PROTOCOL_COUNTS = {
        "icmp_received_errors": ("icmpv4.InErrors", "icmpv6.Icmp6InErrors"),
        "icmp_received_messages": ("icmpv4.InMsgs", "icmpv6.Icmp6InMsgs"),
        "ip_delivered_packets": ("ipv4.InDelivers", "ipv6.Ip6InDelivers"),
        "ip_forwarded_packets": ("ipv4.ForwDatagrams", "ipv6.Ip6OutForwDatagrams"),
        "ip_received_packets": ("ipv4.InReceives", "ipv6.Ip6InReceives"),
        "ip_sent_packets": ("ipv4.OutRequests", "ipv6.Ip6OutRequests"),
        "udp_no_ports": ("udpv4.NoPorts", "udpv6.Udp6NoPorts"),
        "udp_receive_errors": ("udpv4.InErrors", "udpv6.Udp6InErrors"),
        "udp_received_datagrams": ("udpv4.InDatagrams", "udpv6.Udp6InDatagrams"),
        "udp_sent_datagrams": ("udpv4.OutDatagrams", "udpv6.Udp6OutDatagrams"),
    }

    _TCP_COUNTS = {
        "tcp_active_opens": "ActiveOpens",
        "tcp_checksum_errors": "InCsumErrors",
        "tcp_established_connections": "CurrEstab",
        "tcp_established_resets": "EstabResets",
        "tcp_failed_attempts": "AttemptFails",
        "tcp_passive_opens": "PassiveOpens",
        "tcp_receive_errors": "InErrs",
        "tcp_received_segments": "InSegs",
        "tcp_retransmitted_segments": "RetransSegs",
        "tcp_sent_resets": "OutRsts",
        "tcp_sent_segments": "OutSegs",
    }

    # Attributes and the columns of the row of the protocols that they are.
    _PROTOCOL_COLUMNS = {
        "ip_delivered_packets": "InDelivers",
        "ip_forwarded_packets": "ForwDatagrams",
        "ip_received_packets": "InReceives",
        "ip_sent_packets": "OutRequests",
        "udp_no_ports": "NoPorts",
        "udp_receive_errors": "UdpInErrors",
        "udp_received_datagrams": "InDatagrams",
        "udp_sent_datagrams": "OutDatagrams",
        **_TCP_COUNTS,
    }

    # What kernels print for ICMP, one after the other.
    _ICMP_TYPES = (
        "DestUnreachs TimeExcds ParmProbs SrcQuenchs Redirects Echos EchoReps "
        "Timestamps TimestampReps AddrMasks AddrMaskReps"
    ).split()

    # What is not in the text that atop prints: what the record has, which is tested
    # below, and some of what the system block has.
    _NOT_PRINTED = frozenset(
        [
            "icmp_received_destination_unreachables",
            "icmp_received_echo_requests",
            "icmp_received_errors",
            "icmp_received_messages",
            "icmp_sent_messages",
            "ipv4_forwarding",
            "number_of_idle_threads",
            "number_of_running_threads",
            "number_of_sleeping_threads",
            "number_of_started_tasks",
            "number_of_uninterruptible_threads",
            "reclaimed_pages",
            "tcp_established_resets",
            "tcp_failed_attempts",
        ]
    )

    def _GetCPUValues(self, values, hertz, is_boot):
        """Determines the expected values of the CPU time.

        Args:
          values (dict[str, int]): clock ticks per C member.
          hertz (int): clock ticks per second.
          is_boot (bool): True if the sample is the first of a run of atop.

        Returns:
          dict[str, object]: values of the attributes.
        """
        members = dict(self._CPU_TIMES)
        if "guest" in values:
            members["guest"] = "guest"

        total = sum(values[member] for member in self._CPU_TIMES.values())
        attributes = {}
        for name, member in members.items():
            attributes[f"cpu_{name:s}_time"] = values[member] * 1000 // hertz
            if not is_boot:
                percent = round(100 * values[member] / total, 1)
                attributes[f"cpu_{name:s}_percent"] = percent

        if not is_boot:
            busy = sum(values[self._CPU_TIMES[name]] for name in self._BUSY_CPU_TIMES)
            attributes["cpu_busy_percent"] = round(100 * busy / total, 1)
        return attributes

    def _GetMemoryValues(self, values, page_size):
        """Determines the expected values of the memory.

        Args:
          values (dict[str, int]): values per C member.
          page_size (int): page size.

        Returns:
          dict[str, object]: values of the attributes.
        """
        attributes = {
            name: values[member] * page_size
            for name, member in self._MEMORY_SIZES.items()
            if member in values
        }
        for name, member in self._MEMORY_COUNTS.items():
            if member in values:
                attributes[name] = values[member]

        total = values["physmem"]
        attributes["memory_free_percent"] = round(100 * values["freemem"] / total, 1)
        if "availablemem" in values:
            percent = round(100 * values["availablemem"] / total, 1)
            attributes["memory_available_percent"] = percent

        if values["totswap"]:
            used = values["totswap"] - values["freeswap"]
            percent = round(100 * used / values["totswap"], 1)
            attributes["swap_used_percent"] = percent

        for prefix in ("", "s"):
            if f"{prefix:s}hugepagesz" in values:
                size = values[f"{prefix:s}hugepagesz"]
                free_size = values[f"{prefix:s}freehugepage"] * size
                total_size = values[f"{prefix:s}tothugepage"] * size
                if "lhugepagesz" in values:
                    free_size += values["lfreehugepage"] * values["lhugepagesz"]
                    total_size += values["ltothugepage"] * values["lhugepagesz"]
                attributes["huge_pages_free_size"] = free_size
                attributes["huge_pages_size"] = total_size

        return attributes

    def _GetPrintedValues(self, log, sample):
        """Determines the expected values from what atop printed.

        Args:
          log (test_lib.Log): description of the log.
          sample (parseable.Sample): what atop printed of the sample.

        Returns:
          dict[str, object]: values of the attributes.
        """
        rows = {label: rows[0] for label, rows in sample.rows.items() if len(rows) == 1}
        cpu, load = rows["CPU"], rows["CPL"]
        memory = {**rows["MEM"], **rows["SWP"], **rows["PAG"]}

        # No log has ZFS, what is not there is printed as 0.
        self.assertEqual(memory.pop("zfsarcsize", 0), 0)

        # Is printed since 2.7.
        if log.version_tuple == (2, 6):
            memory["swapcached"] = 0

        values = {
            **self._GetCPUValues(cpu, cpu["hertz"], sample.is_boot),
            **self._GetMemoryValues(memory, memory["pagesize"]),
            "context_switches": load["csw"],
            "interrupts": load["devint"],
            "load_average_1": float(load["lavg1"]),
            "load_average_5": float(load["lavg5"]),
            "load_average_15": float(load["lavg15"]),
            "number_of_cpus": cpu["nrcpu"],
            "scanned_pages": memory["pgscans"],
        }

        # Before 2.7 it is 0 whatever it was.
        if log.version_tuple >= (2, 7):
            values["allocation_stalls"] = memory["allocstall"]

        for name, column in self._PROTOCOL_COLUMNS.items():
            if column in rows["NET upper"]:
                values[name] = rows["NET upper"][column]

        if "PSI" in rows:
            for prefix, column in self._PRESSURES.items():
                total = rows["PSI"][column]
                values[f"{prefix:s}_time"] = total // 1000
                if not sample.is_boot:
                    percent = round(total / sample.interval / 10000, 1)
                    values[f"{prefix:s}_percent"] = min(percent, 100.0)
                for seconds in (10, 60, 300):
                    name = f"{prefix:s}_average_{seconds:d}"
                    values[name] = rows["PSI"][f"{column:s}{seconds:d}"]

        # No log has NFS activity.
        for label in ("NFC", "NFS"):
            self.assertFalse(any(rows.get(label, {}).values()))

        processes = [
            row
            for row in sample.rows["PRG"]
            if row.get("isproc", True) and row["state"] != b"E"
        ]
        exited = [row for row in sample.rows["PRG"] if row["state"] == b"E"]
        values["number_of_exited_processes"] = len(exited)

        # Before 2.3 not all processes are listed.
        # The list of one log is reduced to threads of the kernel.
        if log.version_tuple >= (2, 3) and "kernel-threads" not in log.name:
            zombies = [row for row in processes if row["state"] == b"Z"]
            values["number_of_processes"] = len(processes)
            values["number_of_zombie_processes"] = len(zombies)
            values["number_of_running_threads"] = sum(
                row["nthrrun"] for row in processes if row["state"] != b"Z"
            )
            values["number_of_sleeping_threads"] = sum(
                row["nthrslpi"] for row in processes if row["state"] != b"Z"
            )

        return values

    def _GetStoredValues(self, system, record, page_size, version, interval):
        """Determines the expected values of a system block that was built.

        Args:
          system (dict[str, object]): values of the members of the system block.
          record (dict[str, int]): expected values of what the record holds.
          page_size (int): page size.
          version (tuple[int, int]): version of atop.
          interval (int): interval of the sample.

        Returns:
          dict[str, object]: values of the attributes.
        """
        cpu, mem, net = system["cpu"], system["mem"], system["net"]
        values = {
            **record,
            **self._GetCPUValues(cpu["all"], 100, False),
            **self._GetMemoryValues(mem, page_size),
            "allocation_stalls": mem["allocstall"],
            "context_switches": cpu["csw"],
            "interrupts": cpu["devint"],
            "ipv4_forwarding": True,
            "load_average_1": cpu["lavg1"],
            "load_average_5": cpu["lavg5"],
            "load_average_15": cpu["lavg15"],
            "number_of_cpus": cpu["nrcpu"],
            "number_of_started_tasks": cpu["nprocs"],
            "scanned_pages": mem["pgscans"],
        }
        if "pgsteal" in mem:
            values["reclaimed_pages"] = mem["pgsteal"]

        for name, (member, ipv6_member) in self._PROTOCOL_COUNTS.items():
            values[name] = 0
            for text in (member, ipv6_member):
                part, _, member_name = text.partition(".")
                values[name] += net[part][member_name]

        for name, member in self._TCP_COUNTS.items():
            if member in net["tcp"]:
                values[name] = net["tcp"][member]

        # The kernel of these logs does print checksum errors.
        names = {
            "icmp_received_destination_unreachables": "InDestUnreachs",
            "icmp_received_echo_requests": "InEchos",
            "icmp_sent_messages": "OutMsgs",
        }
        for name, member in names.items():
            if version < (2, 8):
                members = list(net["icmpv4"])
                member_behind = members[members.index(member) + 1]
                values[name] = net["icmpv4"][member_behind]
            else:
                values[name] = net["icmpv4"][member]
            values[name] += net["icmpv6"][f"Icmp6{member:s}"]

        if "nfs" in system:
            for name, (part, member) in self._NFS_COUNTS.items():
                values[name] = system["nfs"][part][member]

        if "psi" in system:
            for prefix, name in self._PRESSURES.items():
                view = system["psi"][name]
                values[f"{prefix:s}_time"] = view["total"] // 1000
                percent = round(view["total"] / interval / 10000, 1)
                values[f"{prefix:s}_percent"] = percent
                for seconds in (10, 60, 300):
                    average = view[f"avg{seconds:d}"]
                    values[f"{prefix:s}_average_{seconds:d}"] = average

        return values

    def _GetICMPSystem(self, version, counters):
        """Retrieves a system block as atop fills it with what the kernel prints.

        Args:
          version (str): version of atop.
          counters (list[int]): counters in the order of the kernel.

        Returns:
          dict[str, object]: values of the members of the system block.
        """
        structure = layouts.GetFileLayout(version, layouts.ABIS[0]).sstat
        net = structure.members["net"].structure
        names = net.members["icmpv4"].structure.members
        return {"net.icmpv4": dict(zip(names, counters))}

    def testLogs(self):
        """Tests all samples of real logs, against what atop printed of them."""
        for log in test_lib.LOGS:
            with self.subTest(log=log.name):
                for sample, (event_data,) in self._GetSamples(log):
                    values = self._GetMeasuredValues(event_data)
                    expected_values = self._GetPrintedValues(log, sample)

                    # These are printed with a single decimal.
                    for name in list(expected_values):
                        if "_average_" in name and name.partition("_")[0] != "load":
                            printed = float(expected_values.pop(name))
                            self.assertLess(abs(values.pop(name) - printed), 0.051)

                    # Twice what is true, as the kernel is a later one.
                    if log.version_tuple < (2, 9):
                        for name in ("reclaimed_pages", "scanned_pages"):
                            if expected_values.get(name):
                                del expected_values[name]
                                self.assertNotIn(name, values)

                    # Nothing that is printed is missing, and of what is not nothing
                    # is there but what is known not to be.
                    others = set(values).difference(expected_values)
                    if log.version_tuple < (2, 3) or "kernel-threads" in log.name:
                        others.difference_update(
                            ["number_of_processes", "number_of_zombie_processes"]
                        )
                    if log.version_tuple == (2, 0):
                        others.discard("memory_shared_size")
                    if log.version_tuple < (2, 6):
                        others.difference_update(self._PROTOCOL_COLUMNS)
                    self.assertLessEqual(others, self._NOT_PRINTED)

                    self.assertEqual(
                        {
                            name: value
                            for name, value in values.items()
                            if name not in others and name in expected_values
                        },
                        expected_values,
                    )

    def testThreadCounts(self):
        """Tests the numbers of threads of real logs that list all of them."""
        for log in test_lib.LOGS:
            if log.version_tuple < (2, 3) or "kernel-threads" in log.name:
                continue

            with self.subTest(log=log.name):
                for sample, (event_data,) in self._GetSamples(log):
                    rows = [
                        row
                        for row in sample.rows["PRG"]
                        if row["isproc"] and row["state"] not in (b"E", b"Z")
                    ]
                    # Threads of the kernel that are idle are counted among those that
                    # wait in 2.7 up to 2.9, and not at all before that.
                    expected_idle = None
                    expected_uninterruptible = None
                    if log.version_tuple >= (2, 10):
                        expected_idle = sum(row["nthridle"] for row in rows)
                    if not (2, 7) <= log.version_tuple <= (2, 9):
                        expected_uninterruptible = sum(row["nthrslpu"] for row in rows)

                    self.assertEqual(event_data.number_of_idle_threads, expected_idle)
                    self.assertEqual(
                        event_data.number_of_uninterruptible_threads,
                        expected_uninterruptible,
                    )

    def testMembers(self):
        """Tests every member, in all versions and on all machine types."""
        page_size = 16384
        interval = 3600

        for version, abi in sample_test_lib.VERSIONS_AND_ABIS:
            with self.subTest(version=version, abi=abi.name):
                builder = log_builder.LogBuilder(
                    version=version,
                    abi=abi,
                    pagesize=page_size,
                    **{"utsname.release": b"4.9.0-1-amd64"},
                )
                structure = builder.layout.sstat
                system = log_builder.GetDistinctValues(structure, 2, 1000)

                # Percentages differ, too.
                system["cpu"]["nrcpu"] = 4
                for index, name in enumerate(system["cpu"]["all"]):
                    if name.endswith("time") or name in ("guest", "steal"):
                        system["cpu"]["all"][name] = (index + 1) * 5432
                system["mem"].update({"physmem": 4321, "freeswap": 500})
                system["net"]["ipv4"]["Forwarding"] = 1
                if "psi" in system:
                    averages = iter(range(100))
                    for name in self._PRESSURES.values():
                        view = system["psi"][name]
                        for seconds in (10, 60, 300):
                            view[f"avg{seconds:d}"] = next(averages) + 0.5
                        view["total"] *= 100000

                # Kernels that do not print all of ICMP are tested below.
                record = {
                    "number_of_exited_processes": 0,
                    "number_of_processes": 101,
                    "number_of_running_threads": 102,
                    "number_of_sleeping_threads": 103,
                    "number_of_uninterruptible_threads": 104,
                    "number_of_zombie_processes": 105,
                }
                stored = {
                    "totproc": 101,
                    "totrun": 102,
                    "totslpi": 103,
                    "totslpu": 104,
                    "totzomb": 105,
                }
                if builder.version_tuple < (1, 27):
                    stored = {
                        "npresent": 101,
                        "ntrun": 102,
                        "ntslpi": 103,
                        "ntslpu": 104,
                        "nzombie": 105,
                    }
                if builder.version_tuple == (1, 23):
                    for name in ("running", "sleeping", "uninterruptible"):
                        del record[f"number_of_{name:s}_threads"]
                    for name in ("ntrun", "ntslpi", "ntslpu"):
                        del stored[name]
                if (2, 7) <= builder.version_tuple <= (2, 9):
                    del record["number_of_uninterruptible_threads"]
                if builder.version_tuple >= (2, 10):
                    record["number_of_idle_threads"] = stored["totidle"] = 106

                builder.AddSample(
                    log_builder.T0, interval=interval, system=system, **stored
                )
                (event_data,) = self._GetBuiltEventData(builder)

                expected_values = self._GetStoredValues(
                    system, record, page_size, builder.version_tuple, interval
                )
                self.assertEqual(self._GetMeasuredValues(event_data), expected_values)

    def testProcessCounts(self):
        """Tests the number of processes, which since 2.3 includes those that exited."""
        for version, stored, expected_count in (
            ("1.26", {"npresent": 30, "nexit": 0}, 30),
            ("2.2", {"totproc": 30, "nexit": 1}, 30),
            ("2.3", {"totproc": 30, "nexit": 1}, 29),
            (layouts.VERSIONS[-1], {"totproc": 0, "nexit": 1}, None),
        ):
            builder = log_builder.LogBuilder(version=version)
            builder.AddSample(log_builder.T0, tasks=[{"gen.pid": 1}], **stored)
            (event_data,) = self._GetBuiltEventData(builder)
            self.assertEqual(event_data.number_of_processes, expected_count)
            self.assertEqual(event_data.number_of_exited_processes, stored["nexit"])

    def testSinceBoot(self):
        """Tests that counters that are not those of an interval are marked."""
        system = {
            "cpu": {
                "nrcpu": 2,
                "csw": 1 << 40,
                "all": {"utime": 1 << 40, "itime": 1 << 41, "wtime": (1 << 32) - 1},
            },
            "mem": {"physmem": 100, "freemem": 25, "oomkills": 3},
            "psi": {"present": 1, "cpusome": {"avg10": 1.0, "total": 1 << 40}},
        }
        element, other_element = self._ParseSystem(system, system)
        self.assertIs(element.since_boot, True)
        self.assertIsNone(other_element.since_boot)

        self.assertEqual(element.context_switches, 1 << 40)
        self.assertEqual(element.cpu_user_time, 10 << 40)
        self.assertEqual(element.cpu_wait_time, 10 * ((1 << 32) - 1))
        self.assertEqual(element.cpu_pressure_some_time, (1 << 40) // 1000)
        self.assertEqual(element.oom_kills, 3)

        # What is current has percentages all the same.
        self.assertEqual(element.memory_free_percent, 25.0)
        self.assertEqual(element.cpu_pressure_some_average_10, 1.0)
        percentages = {
            name
            for name, value in vars(element).items()
            if name.endswith("_percent") and value is not None
        }
        self.assertEqual(percentages, {"memory_free_percent"})

    def testCPUTimes(self):
        """Tests clock ticks that are not those of the interval."""
        ticks = {
            "utime": 20000,
            "stime": 10000,
            "ntime": 1000,
            "itime": 60000,
            "wtime": 20000,
            "Itime": 1000,
            "Stime": 4000,
            "steal": 4000,
            "guest": 10000,
        }
        for version in ("1.26", "2.6", layouts.VERSIONS[-1]):
            system = {"cpu": {"nrcpu": 2, "all": ticks}}
            _, element = self._ParseSystem({}, system, version=version)
            self.assertEqual(element.cpu_user_percent, 16.7)
            self.assertEqual(element.cpu_guest_percent, 8.3)
            self.assertEqual(element.cpu_busy_percent, 30.0)

            # The kernel's counter became smaller by 5: not passed on.
            for value in ((1 << 32) - 5, 1 << 24, -5):
                system = {"cpu": {"nrcpu": 2, "all": {**ticks, "wtime": value}}}
                _, element = self._ParseSystem({}, system, version=version)
                self.assertIsNone(element.cpu_wait_time)
                self.assertIsNone(element.cpu_wait_percent)
                self.assertEqual(element.cpu_user_time, 200000)
                self.assertEqual(element.cpu_user_percent, 20.0)
                self.assertEqual(element.cpu_busy_percent, 36.0)

            # The time since boot is not more than the interval has, but all are.
            system = {"cpu": {"nrcpu": 2, "all": {**ticks, "wtime": 100000}}}
            _, element = self._ParseSystem({}, system, version=version)
            for name in (*self._CPU_TIMES, "guest", "busy"):
                self.assertIsNone(getattr(element, f"cpu_{name:s}_percent"))
                if name != "busy":
                    self.assertIsNone(getattr(element, f"cpu_{name:s}_time"))

        # An interval of a second may have lasted nearly two.
        system = {"cpu": {"nrcpu": 2, "all": {"itime": 390}}}
        _, element = self._ParseSystem({}, system, interval=1)
        self.assertEqual(element.cpu_idle_time, 3900)

        # Nothing was counted.
        _, element = self._ParseSystem({}, {"cpu.nrcpu": 2})
        self.assertEqual(element.cpu_user_time, 0)
        self.assertIsNone(element.cpu_user_percent)
        self.assertIsNone(element.cpu_busy_percent)

        # 1024 clock ticks per second.
        system = {"cpu": {"nrcpu": 1, "all": {"utime": 1024, "itime": 3072}}}
        _, element = self._ParseSystem({}, system, hertz=1024)
        self.assertEqual(element.cpu_user_time, 1000)
        self.assertEqual(element.cpu_user_percent, 25.0)

        # It is not known how long a clock tick is.
        system = {"cpu": {"nrcpu": 1, "all": {"utime": 1024, "itime": 3072}}}
        for element in self._ParseSystem(
            system, system, hertz=0, warnings=["header damaged"]
        ):
            self.assertIsNone(element.cpu_user_time)
            self.assertIsNone(element.cpu_user_percent)

        # The number of CPUs is not known.
        for count in (0, -1, 0x7FFFFFFF):
            system = {"cpu": {"nrcpu": count, "all": ticks}}
            _, element = self._ParseSystem({}, system)
            self.assertIsNone(element.number_of_cpus)
            self.assertIsNone(element.cpu_user_percent)

    def testICMP(self):
        """Tests the counters of ICMP that stand in another place than they should."""
        received = {
            f"In{name:s}": 11 + index for index, name in enumerate(self._ICMP_TYPES)
        }
        sent = {
            f"Out{name:s}": 31 + index for index, name in enumerate(self._ICMP_TYPES)
        }
        old_kernel = {
            "InMsgs": 1,
            "InErrors": 2,
            **received,
            "OutMsgs": 3,
            "OutErrors": 4,
        }
        kernel = {"InMsgs": 1, "InErrors": 2, "InCsumErrors": 5, **received}
        kernel.update({"OutMsgs": 3, "OutErrors": 4})
        new_kernel = {**kernel, "OutRateLimitGlobal": 6, "OutRateLimitHost": 7, **sent}

        for release, counters in (
            (b"2.6.18-8.el5", {**old_kernel, **sent}),
            (b"3.9.11", {**old_kernel, **sent}),
            (b"3.10.0-1160.el7.x86_64", {**kernel, **sent}),
            (b"6.2.16", {**kernel, **sent}),
            (b"6.3.0", new_kernel),
            (b"10.0.0", new_kernel),
        ):
            for version in ("1.23", "2.6", "2.7", "2.8", layouts.VERSIONS[-1]):
                system = self._GetICMPSystem(version, counters.values())
                system["net.icmpv6"] = {
                    "Icmp6InMsgs": 1000,
                    "Icmp6InErrors": 2000,
                    "Icmp6OutMsgs": 3000,
                    "Icmp6InEchos": 4000,
                    "Icmp6InDestUnreachs": 5000,
                }
                (element,) = self._ParseSystem(
                    system, version=version, **{"utsname.release": release}
                )
                self.assertEqual(element.icmp_received_messages, 1001)
                self.assertEqual(element.icmp_received_errors, 2002)
                self.assertEqual(element.icmp_sent_messages, 3003)
                self.assertEqual(element.icmp_received_echo_requests, 4016)
                self.assertEqual(element.icmp_received_destination_unreachables, 5011)

        # It is not known what kernel printed it.
        for release in (b"", b"unknown", b"4", b"4444.1", b"x4.9"):
            system = self._GetICMPSystem(layouts.VERSIONS[-1], kernel.values())
            (element,) = self._ParseSystem(system, **{"utsname.release": release})
            self.assertEqual(element.icmp_received_messages, 1)
            self.assertEqual(element.icmp_received_errors, 2)
            self.assertIsNone(element.icmp_sent_messages)
            self.assertIsNone(element.icmp_received_echo_requests)
            self.assertIsNone(element.icmp_received_destination_unreachables)

    def testTCPChecksumErrors(self):
        """Tests the counter that kernels before 3.10 do not have."""
        for version, release, expected_count in (
            ("2.9", b"6.1.0", None),
            ("2.10", b"6.1.0", 7),
            ("2.10", b"3.9.0", None),
            ("2.10", b"", None),
        ):
            system = {"net.tcp.InCsumErrors": 7} if version == "2.10" else {}
            (element,) = self._ParseSystem(
                system, version=version, **{"utsname.release": release}
            )
            self.assertEqual(element.tcp_checksum_errors, expected_count)

    def testReclaim(self):
        """Tests counters that atop does not read right from later kernels."""
        system = {"mem": {"pgscans": 20, "pgsteal": 10, "allocstall": 3}}
        zeros = {"mem": {"pgscans": 0, "pgsteal": 0, "allocstall": 0}}

        for version, release, scanned, reclaimed, stalls in (
            ("2.6", b"4.9.0", 20, 10, 3),
            ("2.6", b"4.10.0", 20, 10, None),
            ("2.6", b"", None, None, None),
            ("2.7", b"4.10.0", 20, 10, 3),
            ("2.8", b"5.7.19", 20, 10, 3),
            ("2.8", b"5.8.0", None, None, 3),
            ("2.8", b"5.10.0", None, None, 3),
            ("2.8", b"", None, None, 3),
            ("2.9", b"5.8.0", 20, 10, 3),
            (layouts.VERSIONS[-1], b"", 20, 10, 3),
        ):
            header = {"utsname.release": release}
            (element,) = self._ParseSystem(system, version=version, **header)
            self.assertEqual(
                (
                    element.scanned_pages,
                    element.reclaimed_pages,
                    element.allocation_stalls,
                ),
                (scanned, reclaimed, stalls),
                (version, release),
            )

            # Twice nothing is nothing, but what was not read is not 0.
            (element,) = self._ParseSystem(zeros, version=version, **header)
            self.assertEqual(element.scanned_pages, 0)
            self.assertEqual(element.reclaimed_pages, 0)
            self.assertEqual(element.allocation_stalls, None if stalls is None else 0)

    def testNFS(self):
        """Tests that counters of NFS are set only where it was used."""
        (element,) = self._ParseSystem({"nfs.client.rpcread": 1})
        self.assertEqual(element.nfs_client_calls, 0)
        self.assertEqual(element.nfs_client_reads, 1)
        self.assertIsNone(element.nfs_server_calls)
        self.assertIsNone(element.nfs_server_read_size)

        (element,) = self._ParseSystem({"nfs.server.rpccnt": 1})
        self.assertIsNone(element.nfs_client_calls)
        self.assertEqual(element.nfs_server_calls, 1)
        self.assertEqual(element.nfs_server_read_size, 0)

        # The module was loaded again, which up to 2.6 looks like 2^32 calls.
        wrap = 1 << 32
        server = {
            "rpccnt": wrap - 1000,
            "rpcread": wrap - 500,
            "nrbytes": wrap - 4096000,
            "rpcwrite": 3,
            "nwbytes": 12288,
            "rpcbadaut": 1,
        }
        _, element = self._ParseSystem({}, {"nfs.server": server}, version="2.6")
        self.assertIsNone(element.nfs_server_calls)
        self.assertIsNone(element.nfs_server_reads)
        self.assertEqual(element.nfs_server_bad_authentications, 1)

        _, element = self._ParseSystem({}, {"nfs.server": server}, version="2.7")
        self.assertEqual(element.nfs_server_calls, wrap - 1000)

    def testPressure(self):
        """Tests pressure."""
        psi = {"present": 1, "iofull": {"avg10": 99.99, "total": 1500000}}
        _, element = self._ParseSystem({}, {"psi": psi}, interval=10)
        self.assertEqual(element.io_pressure_full_time, 1500)
        self.assertEqual(element.io_pressure_full_percent, 15.0)
        self.assertEqual(element.io_pressure_full_average_10, 99.99)
        self.assertEqual(element.io_pressure_some_time, 0)
        self.assertEqual(element.io_pressure_some_percent, 0.0)

        # Times of samples are whole seconds, the interval was longer.
        psi["iofull"]["total"] = 10900000
        _, element = self._ParseSystem({}, {"psi": psi}, interval=10)
        self.assertEqual(element.io_pressure_full_percent, 100.0)

        # The kernel does not provide the values.
        psi["present"] = 0
        _, element = self._ParseSystem({}, {"psi": psi}, interval=10)
        self.assertFalse(any("pressure" in name for name in self._GetValues(element)))

    def testMemory(self):
        """Tests that values are not set where the kernel does not provide them."""
        (element,) = self._ParseSystem({"mem": {"physmem": 100, "oomkills": -1}})
        self.assertIsNone(element.oom_kills)
        self.assertIsNone(element.memory_available_size)
        self.assertIsNone(element.memory_available_percent)
        self.assertEqual(element.memory_free_percent, 0.0)
        self.assertIsNone(element.swap_used_percent)

        (element,) = self._ParseSystem({"mem": {"totswap": 8, "freeswap": 6}})
        self.assertEqual(element.swap_used_percent, 25.0)
        self.assertIsNone(element.memory_free_percent)

        # The size of a page is not known.
        (element,) = self._ParseSystem(
            {"mem": {"physmem": 100, "freemem": 10, "oomkills": 1}},
            pagesize=0,
            warnings=["header damaged"],
        )
        self.assertIsNone(element.memory_size)
        self.assertEqual(element.memory_free_percent, 10.0)
        self.assertEqual(element.oom_kills, 1)

    def testHostileValues(self):
        """Tests values that no atop stores."""
        largest = (1 << 63) - 1

        def _Fill(values, number, average):
            """Replaces all numbers.

            Args:
              values (dict[str, object]|list[object]): values, which are changed.
              number (int): number to replace integers with.
              average (float): number to replace floating-points with.
            """
            items = values.items() if isinstance(values, dict) else enumerate(values)
            for name, value in list(items):
                if isinstance(value, (dict, list)):
                    _Fill(value, number, average)
                elif isinstance(value, float):
                    values[name] = average
                elif isinstance(value, int) and value > 0xFFFF:
                    values[name] = number

        for version in ("1.23", "2.6", layouts.VERSIONS[-1]):
            structure = layouts.GetFileLayout(version, layouts.ABIS[0]).sstat
            for number in (-1, largest, -largest - 1):
                for average in (math.nan, math.inf, -math.inf, -1.0, 3e38):
                    system = log_builder.GetDistinctValues(structure, 2, 1 << 20)
                    # Members of less than 8 bytes are set or left out.
                    system["cpu"].update({"nrcpu": 2, "cpu": []})
                    system["cpu"]["all"]["cpunr"] = 0
                    if "maxcpu" in system["cpu"]:
                        system["cpu"]["maxcpu"] = 2
                    if "nfs" in system:
                        system["nfs"].pop("nfsmounts", None)
                    if "psi" in system:
                        system["psi"]["present"] = 1

                    for name in ("cpu", "mem", "net", "nfs", "psi"):
                        _Fill(system.get(name, {}), number, average)

                    elements = self._ParseSystem(system, system, version=version)
                    self.assertEqual(len(elements), 2)
                    for event_data in elements:
                        values = self._GetMeasuredValues(event_data)
                        for name, value in values.items():
                            if "_average_" in name or name.startswith("load_"):
                                self.fail(f"{name:s}: {value!r}")
                            self.assertGreaterEqual(value, 0, name)
                            self.assertLessEqual(value, largest, name)
                            if number < 0 and not name.startswith("number_of"):
                                self.fail(f"{name:s}: {value!r}")

    def testDamagedSystemBlock(self):
        """Tests that values of the record are shown without a system block."""
        builder = log_builder.LogBuilder()
        system = {"cpu.lavg1": 1.5, "cpu.nrcpu": 2}
        offset = builder.AddSample(
            log_builder.T0, flags=1, system=system, totproc=9, totrun=2, totzomb=1
        )
        builder.AddSample(log_builder.T0 + 600, system=system)

        data = bytearray(builder.Build())
        data[offset + builder.layout.rawrecord.size + 20] ^= 0xFF
        element, other_element = self._GetBuiltEventData(
            bytes(data), ["system block damaged"]
        )
        self.assertEqual(
            self._GetMeasuredValues(element),
            {
                "number_of_exited_processes": 0,
                "number_of_idle_threads": 0,
                "number_of_processes": 9,
                "number_of_running_threads": 2,
                "number_of_sleeping_threads": 0,
                "number_of_uninterruptible_threads": 0,
                "number_of_zombie_processes": 1,
            },
        )
        self.assertEqual(
            self._GetMessages(element)[0],
            "System: since boot Processes: 9 Zombies: 1 Running threads: 2",
        )
        self.assertEqual(other_element.load_average_1, 1.5)

    def testMessages(self):
        """Tests the messages."""
        system = {
            "cpu": {
                "nrcpu": 2,
                "lavg1": 0.33,
                "lavg5": 1.0,
                "lavg15": 12.5,
                "all": {"utime": 12000, "stime": 3000, "itime": 105000},
            },
            "mem": {"physmem": 1000, "freemem": 905, "availablemem": 938},
        }
        boot, element = self._ParseSystem(system, system)
        self.assertEqual(
            self._GetMessages(boot)[0],
            "System: since boot Load: 0.33 1.00 12.50 Memory: 90.5% free 93.8% "
            "available Processes: 0 Running threads: 0",
        )
        self.assertEqual(
            self._GetMessages(element),
            (
                "System: in 600 s Load: 0.33 1.00 12.50 CPU: 10.0% user 2.5% system "
                "Memory: 90.5% free 93.8% available Processes: 0 Running threads: 0",
                "System: in 600 s Load: 0.33 CPU: 10.0% user 2.5% system Processes: 0",
            ),
        )

        system["cpu"]["all"].update({"ntime": 1200, "wtime": 2400, "steal": 600})
        system["mem"].update({"totswap": 8, "freeswap": 6, "oomkills": 1})
        system["net"] = {"tcp.CurrEstab": 5, "ipv4.ForwDatagrams": 7}
        system["psi"] = {
            "present": 1,
            "cpusome.total": 6000000,
            "memsome.total": 12000000,
            "iosome.total": 18000000,
        }
        _, element = self._ParseSystem({}, system)
        self.assertEqual(
            self._GetMessages(element)[0],
            "System: in 600 s Load: 0.33 1.00 12.50 CPU: 9.7% user 2.4% system "
            "1.0% nice 1.9% wait 0.5% steal Memory: 90.5% free 93.8% available "
            "Swap: 25.0% used OOM kills: 1 CPU pressure: 1.0% Memory pressure: 2.0% "
            "I/O pressure: 3.0% Processes: 0 Running threads: 0 TCP connections: 5 "
            "IP packets forwarded: 7",
        )


if __name__ == "__main__":
    unittest.main()
