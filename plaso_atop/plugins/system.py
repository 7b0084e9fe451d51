"""Plugin for the state of the system in an atop raw log."""

import re

from plaso.containers import events

from plaso_atop import parser
from plaso_atop.plugins import interface


class AtopSystemEventData(events.EventData):
    """State of the system event data.

    Counters cover the interval up to the sample, unless since_boot is set. A percentage
    of the CPU time rests on the time that all CPUs counted.

    Pressure is the pressure stall information (PSI) of the kernel: the time in which at
    least one task ("some"), or all tasks that were not idle ("full"), had to wait for a
    resource. The kernel calculated the averages at the time of the sample. Percentages
    of the interval rest on whole seconds and are capped at 100.0. atop 2.4 and later,
    not set if the kernel does not report it.

    Counters of the NFS client are only set if one of these is not 0, and so are those
    of the NFS server. atop 2.2 and later.

    Attributes:
      allocation_stalls (int): number of times that a task had to wait until memory was
          reclaimed for it. atop up to 2.6 did not find the counters of kernels since
          4.10: in its logs this is only set if the kernel is known to be older.
      compaction_stalls (int): number of times that a task had to wait until memory was
          compacted for it. atop 2.7 and later.
      context_switches (int): number of context switches.
      cpu_busy_percent (float): percentage of the CPU time that was not idle, waiting or
          stolen.
      cpu_guest_percent (float): percentage of the CPU time in virtual machines, which
          is part of that in user mode. atop 1.26 and later.
      cpu_guest_time (int): CPU time in virtual machines, which is part of that in user
          mode, in milliseconds. atop 1.26 and later.
      cpu_idle_percent (float): percentage of the CPU time that was idle.
      cpu_idle_time (int): idle CPU time in milliseconds.
      cpu_irq_percent (float): percentage of the CPU time for interrupts.
      cpu_irq_time (int): CPU time for interrupts in milliseconds.
      cpu_nice_percent (float): percentage of the CPU time in user mode with a low
          priority.
      cpu_nice_time (int): CPU time in user mode with a low priority, in milliseconds.
      cpu_pressure_some_average_10 (float): percentage of the last 10 seconds in which
          tasks had to wait for a CPU.
      cpu_pressure_some_average_60 (float): percentage of the last 60 seconds in which
          tasks had to wait for a CPU.
      cpu_pressure_some_average_300 (float): percentage of the last 300 seconds in which
          tasks had to wait for a CPU.
      cpu_pressure_some_percent (float): percentage of the interval in which tasks had
          to wait for a CPU.
      cpu_pressure_some_time (int): time in which tasks had to wait for a CPU, in
          milliseconds.
      cpu_softirq_percent (float): percentage of the CPU time for software interrupts.
      cpu_softirq_time (int): CPU time for software interrupts in milliseconds.
      cpu_steal_percent (float): percentage of the CPU time in which the hypervisor let
          other virtual machines run.
      cpu_steal_time (int): CPU time in which the hypervisor let other virtual machines
          run, in milliseconds.
      cpu_system_percent (float): percentage of the CPU time in kernel mode.
      cpu_system_time (int): CPU time in kernel mode in milliseconds.
      cpu_user_percent (float): percentage of the CPU time in user mode with a normal
          priority.
      cpu_user_time (int): CPU time in user mode with a normal priority, in
          milliseconds.
      cpu_wait_percent (float): percentage of the CPU time that was idle while a disk
          transfer was not finished.
      cpu_wait_time (int): CPU time that was idle while a disk transfer was not
          finished, in milliseconds.
      hostname (str): name of the host.
      huge_pages_free_size (int): size of the reserved huge pages that are free, in
          bytes. atop 2.1 and later.
      huge_pages_size (int): size of the reserved huge pages in bytes. atop 2.1 and
          later.
      icmp_received_destination_unreachables (int): number of ICMP messages received
          that report an unreachable host, network or port.
      icmp_received_echo_requests (int): number of ICMP echo requests (pings) received.
      icmp_received_errors (int): number of ICMP messages received with errors.
      icmp_received_messages (int): number of ICMP messages received. The ICMP counters
          include IPv4 and IPv6.
      icmp_sent_messages (int): number of ICMP messages sent.
      interrupts (int): number of interrupts.
      interval_seconds (int): time since the sample before, or in the first sample of a
          run of atop since the system was started, in seconds.
      io_pressure_full_average_10 (float): percentage of the last 10 seconds in which
          all tasks had to wait for disk or network storage.
      io_pressure_full_average_60 (float): percentage of the last 60 seconds in which
          all tasks had to wait for disk or network storage.
      io_pressure_full_average_300 (float): percentage of the last 300 seconds in which
          all tasks had to wait for disk or network storage.
      io_pressure_full_percent (float): percentage of the interval in which all tasks
          had to wait for disk or network storage.
      io_pressure_full_time (int): time in which all tasks had to wait for disk or
          network storage, in milliseconds.
      io_pressure_some_average_10 (float): percentage of the last 10 seconds in which
          tasks had to wait for disk or network storage.
      io_pressure_some_average_60 (float): percentage of the last 60 seconds in which
          tasks had to wait for disk or network storage.
      io_pressure_some_average_300 (float): percentage of the last 300 seconds in which
          tasks had to wait for disk or network storage.
      io_pressure_some_percent (float): percentage of the interval in which tasks had to
          wait for disk or network storage.
      io_pressure_some_time (int): time in which tasks had to wait for disk or network
          storage, in milliseconds.
      ip_delivered_packets (int): number of IP packets that were received for the host
          itself.
      ip_forwarded_packets (int): number of IP packets that were forwarded.
      ip_received_packets (int): number of IP packets received. The IP counters include
          IPv4 and IPv6.
      ip_sent_packets (int): number of IP packets sent.
      ipv4_forwarding (bool): True if the host forwards IPv4 packets.
      load_average_1 (float): load average of the last minute.
      load_average_5 (float): load average of the last 5 minutes.
      load_average_15 (float): load average of the last 15 minutes.
      memory_available_percent (float): percentage of the memory that is available.
      memory_available_size (int): estimated size of the memory that can be used without
          swapping, in bytes. atop 2.10 and later, not set if the kernel does not report
          it.
      memory_buffers_size (int): size of the buffers of block devices, in bytes.
      memory_cached_size (int): size of the page cache in bytes, tmpfs and shared memory
          included.
      memory_commit_limit_size (int): size of the memory that can be committed if the
          system is set not to overcommit, in bytes.
      memory_committed_size (int): size of the memory that was promised to processes, in
          bytes.
      memory_dirty_size (int): size of cached data that must be written to disk, in
          bytes. atop 1.26 and later.
      memory_free_percent (float): percentage of the memory that is not used at all, not
          even to cache.
      memory_free_size (int): size of the memory that is not used at all, in bytes.
      memory_page_tables_size (int): size of the page tables in bytes. atop 2.8 and
          later.
      memory_pressure_full_average_10 (float): percentage of the last 10 seconds in
          which all tasks had to wait for memory.
      memory_pressure_full_average_60 (float): percentage of the last 60 seconds in
          which all tasks had to wait for memory.
      memory_pressure_full_average_300 (float): percentage of the last 300 seconds in
          which all tasks had to wait for memory.
      memory_pressure_full_percent (float): percentage of the interval in which all
          tasks had to wait for memory.
      memory_pressure_full_time (int): time in which all tasks had to wait for memory,
          in milliseconds.
      memory_pressure_some_average_10 (float): percentage of the last 10 seconds in
          which tasks had to wait for memory.
      memory_pressure_some_average_60 (float): percentage of the last 60 seconds in
          which tasks had to wait for memory.
      memory_pressure_some_average_300 (float): percentage of the last 300 seconds in
          which tasks had to wait for memory.
      memory_pressure_some_percent (float): percentage of the interval in which tasks
          had to wait for memory.
      memory_pressure_some_time (int): time in which tasks had to wait for memory, in
          milliseconds.
      memory_shared_size (int): size of shared memory and tmpfs in bytes. atop 2.0 and
          later.
      memory_size (int): size of the memory in bytes.
      memory_slab_reclaimable_size (int): size of the part of the slab caches that can
          be reclaimed, in bytes. atop 2.0 and later.
      memory_slab_size (int): size of the slab caches of the kernel in bytes.
      migrated_pages (int): number of memory pages that were moved in memory. atop 2.7
          and later.
      nfs_client_authentication_refreshes (int): number of times that the NFS client
          renewed its credentials.
      nfs_client_calls (int): number of calls of the NFS client.
      nfs_client_reads (int): number of read calls of the NFS client.
      nfs_client_retransmissions (int): number of calls that the NFS client sent again.
      nfs_client_writes (int): number of write calls of the NFS client.
      nfs_server_bad_authentications (int): number of calls that the NFS server rejected
          because of bad credentials.
      nfs_server_bad_clients (int): number of calls that the NFS server rejected because
          of the client.
      nfs_server_bad_formats (int): number of calls that the NFS server rejected because
          of their format.
      nfs_server_calls (int): number of calls that the NFS server received.
      nfs_server_read_size (int): size of data that the NFS server read for clients, in
          bytes.
      nfs_server_reads (int): number of read calls that the NFS server received.
      nfs_server_tcp_connections (int): number of TCP connections that the NFS server
          accepted.
      nfs_server_writes (int): number of write calls that the NFS server received.
      nfs_server_written_size (int): size of data that the NFS server wrote for clients,
          in bytes.
      numa_migrated_pages (int): number of memory pages that were moved to another NUMA
          node. atop 2.7 and later.
      number_of_cpus (int): number of CPUs.
      number_of_exited_processes (int): number of processes that exited since the
          previous sample.
      number_of_idle_threads (int): number of kernel threads that wait for work. atop
          2.10 and later.
      number_of_processes (int): number of processes.
      number_of_running_threads (int): number of threads that run or can run.
      number_of_sleeping_threads (int): number of threads that wait and can be
          interrupted.
      number_of_started_tasks (int): number of processes and threads that were started.
      number_of_uninterruptible_threads (int): number of threads that wait and cannot be
          interrupted, most often for a disk. Not known in 2.7 up to 2.9.
      number_of_zombie_processes (int): number of exited processes for which their
          parent process did not wait yet.
      offset (int): offset of the sample relative to the start of the file.
      oom_kills (int): number of processes that the kernel killed because it was out of
          memory. atop 2.7 and later, not set if the kernel does not report it.
      paged_in_size (int): size of data read from block devices in bytes. atop 2.8 and
          later.
      paged_out_size (int): size of data written to block devices in bytes. atop 2.8 and
          later.
      reclaimed_pages (int): number of memory pages that were reclaimed. atop 1.27 and
          later. See scanned_pages.
      sample_time (dfdatetime.DateTimeValues): date and time of the sample.
      scanned_pages (int): number of memory pages that were scanned to be reclaimed.
          atop up to 2.8 counted every page twice on kernels since 5.8: in its logs this
          is only set if the kernel is known to be older, or if it is 0.
      since_boot (bool): True if the counters are totals since the system was started,
          as in the first sample of a run of atop. There are no percentages of an
          interval then.
      swap_cached_size (int): size of swap space that is also in memory, in bytes. atop
          2.6 and later.
      swap_free_size (int): size of the swap space that is free, in bytes.
      swap_size (int): size of the swap space in bytes.
      swap_used_percent (float): percentage of the swap space that is used.
      swapped_in_size (int): size of data read from swap space in bytes.
      swapped_out_size (int): size of data written to swap space in bytes.
      tcp_active_opens (int): number of TCP connections that the host opened.
      tcp_checksum_errors (int): number of TCP segments received with a wrong checksum.
          atop 2.10 and later.
      tcp_established_connections (int): number of TCP connections that are established
          at the time of the sample.
      tcp_established_resets (int): number of established TCP connections that were
          reset.
      tcp_failed_attempts (int): number of failed attempts to open a TCP connection, by
          the host or to the host.
      tcp_passive_opens (int): number of TCP connections that others opened to the host.
      tcp_receive_errors (int): number of TCP segments received with errors.
      tcp_received_segments (int): number of TCP segments received.
      tcp_retransmitted_segments (int): number of TCP segments sent again.
      tcp_sent_resets (int): number of TCP segments sent that reset a connection, such
          as answers to a segment for a closed port.
      tcp_sent_segments (int): number of TCP segments sent, without those sent again.
      udp_no_ports (int): number of UDP datagrams received for a closed port.
      udp_receive_errors (int): number of UDP datagrams received that could not be
          delivered for another reason.
      udp_received_datagrams (int): number of UDP datagrams received. The UDP counters
          include IPv4 and IPv6.
      udp_sent_datagrams (int): number of UDP datagrams sent.
      zfs_cache_size (int): size of the cache of ZFS (ARC), in bytes. atop 2.6 and
          later, not set where there is none.
    """

    DATA_TYPE = "linux:atop:system"

    def __init__(self):
        """Initializes event data."""
        super().__init__(data_type=self.DATA_TYPE)
        self.allocation_stalls = None
        self.compaction_stalls = None
        self.context_switches = None
        self.cpu_busy_percent = None
        self.cpu_guest_percent = None
        self.cpu_guest_time = None
        self.cpu_idle_percent = None
        self.cpu_idle_time = None
        self.cpu_irq_percent = None
        self.cpu_irq_time = None
        self.cpu_nice_percent = None
        self.cpu_nice_time = None
        self.cpu_pressure_some_average_10 = None
        self.cpu_pressure_some_average_60 = None
        self.cpu_pressure_some_average_300 = None
        self.cpu_pressure_some_percent = None
        self.cpu_pressure_some_time = None
        self.cpu_softirq_percent = None
        self.cpu_softirq_time = None
        self.cpu_steal_percent = None
        self.cpu_steal_time = None
        self.cpu_system_percent = None
        self.cpu_system_time = None
        self.cpu_user_percent = None
        self.cpu_user_time = None
        self.cpu_wait_percent = None
        self.cpu_wait_time = None
        self.hostname = None
        self.huge_pages_free_size = None
        self.huge_pages_size = None
        self.icmp_received_destination_unreachables = None
        self.icmp_received_echo_requests = None
        self.icmp_received_errors = None
        self.icmp_received_messages = None
        self.icmp_sent_messages = None
        self.interrupts = None
        self.interval_seconds = None
        self.io_pressure_full_average_10 = None
        self.io_pressure_full_average_60 = None
        self.io_pressure_full_average_300 = None
        self.io_pressure_full_percent = None
        self.io_pressure_full_time = None
        self.io_pressure_some_average_10 = None
        self.io_pressure_some_average_60 = None
        self.io_pressure_some_average_300 = None
        self.io_pressure_some_percent = None
        self.io_pressure_some_time = None
        self.ip_delivered_packets = None
        self.ip_forwarded_packets = None
        self.ip_received_packets = None
        self.ip_sent_packets = None
        self.ipv4_forwarding = None
        self.load_average_1 = None
        self.load_average_5 = None
        self.load_average_15 = None
        self.memory_available_percent = None
        self.memory_available_size = None
        self.memory_buffers_size = None
        self.memory_cached_size = None
        self.memory_commit_limit_size = None
        self.memory_committed_size = None
        self.memory_dirty_size = None
        self.memory_free_percent = None
        self.memory_free_size = None
        self.memory_page_tables_size = None
        self.memory_pressure_full_average_10 = None
        self.memory_pressure_full_average_60 = None
        self.memory_pressure_full_average_300 = None
        self.memory_pressure_full_percent = None
        self.memory_pressure_full_time = None
        self.memory_pressure_some_average_10 = None
        self.memory_pressure_some_average_60 = None
        self.memory_pressure_some_average_300 = None
        self.memory_pressure_some_percent = None
        self.memory_pressure_some_time = None
        self.memory_shared_size = None
        self.memory_size = None
        self.memory_slab_reclaimable_size = None
        self.memory_slab_size = None
        self.migrated_pages = None
        self.nfs_client_authentication_refreshes = None
        self.nfs_client_calls = None
        self.nfs_client_reads = None
        self.nfs_client_retransmissions = None
        self.nfs_client_writes = None
        self.nfs_server_bad_authentications = None
        self.nfs_server_bad_clients = None
        self.nfs_server_bad_formats = None
        self.nfs_server_calls = None
        self.nfs_server_read_size = None
        self.nfs_server_reads = None
        self.nfs_server_tcp_connections = None
        self.nfs_server_writes = None
        self.nfs_server_written_size = None
        self.numa_migrated_pages = None
        self.number_of_cpus = None
        self.number_of_exited_processes = None
        self.number_of_idle_threads = None
        self.number_of_processes = None
        self.number_of_running_threads = None
        self.number_of_sleeping_threads = None
        self.number_of_started_tasks = None
        self.number_of_uninterruptible_threads = None
        self.number_of_zombie_processes = None
        self.offset = None
        self.oom_kills = None
        self.paged_in_size = None
        self.paged_out_size = None
        self.reclaimed_pages = None
        self.sample_time = None
        self.scanned_pages = None
        self.since_boot = None
        self.swap_cached_size = None
        self.swap_free_size = None
        self.swap_size = None
        self.swap_used_percent = None
        self.swapped_in_size = None
        self.swapped_out_size = None
        self.tcp_active_opens = None
        self.tcp_checksum_errors = None
        self.tcp_established_connections = None
        self.tcp_established_resets = None
        self.tcp_failed_attempts = None
        self.tcp_passive_opens = None
        self.tcp_receive_errors = None
        self.tcp_received_segments = None
        self.tcp_retransmitted_segments = None
        self.tcp_sent_resets = None
        self.tcp_sent_segments = None
        self.udp_no_ports = None
        self.udp_receive_errors = None
        self.udp_received_datagrams = None
        self.udp_sent_datagrams = None
        self.zfs_cache_size = None


class AtopSystemPlugin(interface.AtopPlugin):
    """Plugin for the state of the system in an atop raw log."""

    NAME = "system"
    DATA_FORMAT = "atop raw log system activity"

    # Parts of the CPU time, which add up to the time of all CPUs.
    _CPU_TIMES = (
        ("idle", "itime"),
        ("irq", "Itime"),
        ("nice", "ntime"),
        ("softirq", "Stime"),
        ("steal", "steal"),
        ("system", "stime"),
        ("user", "utime"),
        ("wait", "wtime"),
    )

    # Parts of the CPU time in which the CPUs worked for this system.
    _CPU_BUSY_TIMES = frozenset(["irq", "nice", "softirq", "system", "user"])

    _KERNEL_VERSION_RE = re.compile(rb"([0-9]{1,3})\.([0-9]{1,3})(?![0-9])")

    # Kernels since these have other counters, and atop did not know some of them.
    _KERNEL_WITH_ALLOCSTALL_PER_ZONE = (4, 10)
    _KERNEL_WITH_CHECKSUM_ERRORS = (3, 10)
    _KERNEL_WITH_PGSCAN_PER_TYPE = (5, 8)

    _MAXIMUM_NUMBER_OF_CPUS = 1 << 16

    _MEMORY_COUNTS = (
        ("compaction_stalls", "compactstall"),
        ("migrated_pages", "pgmigrate"),
        ("numa_migrated_pages", "numamigrate"),
        ("oom_kills", "oomkills"),
    )

    _MEMORY_PAGES = (
        ("memory_available_size", "availablemem"),
        ("memory_buffers_size", "buffermem"),
        ("memory_cached_size", "cachemem"),
        ("memory_commit_limit_size", "commitlim"),
        ("memory_committed_size", "committed"),
        ("memory_dirty_size", "cachedrt"),
        ("memory_free_size", "freemem"),
        ("memory_page_tables_size", "pagetables"),
        ("memory_shared_size", "shmem"),
        ("memory_size", "physmem"),
        ("memory_slab_reclaimable_size", "slabreclaim"),
        ("memory_slab_size", "slabmem"),
        ("paged_in_size", "pgins"),
        ("paged_out_size", "pgouts"),
        ("swap_cached_size", "swapcached"),
        ("swap_free_size", "freeswap"),
        ("swap_size", "totswap"),
        ("swapped_in_size", "swins"),
        ("swapped_out_size", "swouts"),
        ("zfs_cache_size", "zfsarcsize"),
    )

    # Attributes, and the members for IPv4 and IPv6 that they are the sum of.
    _NETWORK_COUNTS = (
        ("icmp_received_errors", "icmpv4", "InErrors", "Icmp6InErrors"),
        ("icmp_received_messages", "icmpv4", "InMsgs", "Icmp6InMsgs"),
        ("ip_delivered_packets", "ipv4", "InDelivers", "Ip6InDelivers"),
        ("ip_forwarded_packets", "ipv4", "ForwDatagrams", "Ip6OutForwDatagrams"),
        ("ip_received_packets", "ipv4", "InReceives", "Ip6InReceives"),
        ("ip_sent_packets", "ipv4", "OutRequests", "Ip6OutRequests"),
        ("udp_no_ports", "udpv4", "NoPorts", "Udp6NoPorts"),
        ("udp_receive_errors", "udpv4", "InErrors", "Udp6InErrors"),
        ("udp_received_datagrams", "udpv4", "InDatagrams", "Udp6InDatagrams"),
        ("udp_sent_datagrams", "udpv4", "OutDatagrams", "Udp6OutDatagrams"),
    )

    # Likewise, but the member for IPv4 may be the one before or behind the right one.
    _ICMP_COUNTS = (
        (
            "icmp_received_destination_unreachables",
            ("InCsumErrors", "InDestUnreachs", "InTimeExcds"),
            "Icmp6InDestUnreachs",
        ),
        (
            "icmp_received_echo_requests",
            ("InRedirects", "InEchos", "InEchoReps"),
            "Icmp6InEchos",
        ),
        (
            "icmp_sent_messages",
            ("InAddrMaskReps", "OutMsgs", "OutErrors"),
            "Icmp6OutMsgs",
        ),
    )

    _NFS_CLIENT_COUNTS = (
        ("nfs_client_authentication_refreshes", "rpcautrefresh"),
        ("nfs_client_calls", "rpccnt"),
        ("nfs_client_reads", "rpcread"),
        ("nfs_client_retransmissions", "rpcretrans"),
        ("nfs_client_writes", "rpcwrite"),
    )

    _NFS_SERVER_COUNTS = (
        ("nfs_server_bad_authentications", "rpcbadaut"),
        ("nfs_server_bad_clients", "rpcbadcln"),
        ("nfs_server_bad_formats", "rpcbadfmt"),
        ("nfs_server_calls", "rpccnt"),
        ("nfs_server_reads", "rpcread"),
        ("nfs_server_tcp_connections", "nettcpcon"),
        ("nfs_server_writes", "rpcwrite"),
    )

    _PRESSURES = (
        ("cpu_pressure_some", "cpusome"),
        ("io_pressure_full", "iofull"),
        ("io_pressure_some", "iosome"),
        ("memory_pressure_full", "memfull"),
        ("memory_pressure_some", "memsome"),
    )

    _TCP_COUNTS = (
        ("tcp_active_opens", "ActiveOpens"),
        ("tcp_established_connections", "CurrEstab"),
        ("tcp_established_resets", "EstabResets"),
        ("tcp_failed_attempts", "AttemptFails"),
        ("tcp_passive_opens", "PassiveOpens"),
        ("tcp_receive_errors", "InErrs"),
        ("tcp_received_segments", "InSegs"),
        ("tcp_retransmitted_segments", "RetransSegs"),
        ("tcp_sent_resets", "OutRsts"),
        ("tcp_sent_segments", "OutSegs"),
    )

    def __init__(self):
        """Initializes a plugin."""
        super().__init__()
        self._kernel_version = None

    def _GetAverage(self, value, maximum_value):
        """Retrieves an average that the kernel prints with two decimals.

        Args:
          value (float): value as stored, in single precision.
          maximum_value (float): largest value that is valid.

        Returns:
          float: average with the precision of the kernel, or None if not valid.
        """
        return round(value, 2) if 0.0 <= value <= maximum_value else None

    def _SetCPU(self, event_data, sample, cpu):
        """Sets the use of the CPUs.

        Args:
          event_data (AtopSystemEventData): event data.
          sample (Sample): sample.
          cpu (StructureView): CPUs in the system block.
        """
        event_data.context_switches = self._GetSize(cpu.csw)
        event_data.interrupts = self._GetSize(cpu.devint)
        event_data.load_average_1 = self._GetAverage(cpu.lavg1, 1e6)
        event_data.load_average_5 = self._GetAverage(cpu.lavg5, 1e6)
        event_data.load_average_15 = self._GetAverage(cpu.lavg15, 1e6)
        event_data.number_of_started_tasks = self._GetSize(cpu.nprocs)
        if 0 < cpu.nrcpu <= self._MAXIMUM_NUMBER_OF_CPUS:
            event_data.number_of_cpus = cpu.nrcpu

        ticks = {name: getattr(cpu.all, member) for name, member in self._CPU_TIMES}
        ticks["guest"] = cpu.all.guest

        total = None
        if not sample.is_boot:
            total = self._RemoveInvalidTicks(sample, event_data.number_of_cpus, ticks)

        for name, value in ticks.items():
            setattr(event_data, f"cpu_{name:s}_time", self._GetMilliseconds(value))
            setattr(event_data, f"cpu_{name:s}_percent", self._GetPercent(value, total))

        busy_ticks = sum(ticks[name] or 0 for name in self._CPU_BUSY_TIMES)
        event_data.cpu_busy_percent = self._GetPercent(busy_ticks, total)

    def _SetICMP(self, event_data, net):
        """Sets the counters of ICMP that are not always where they should be.

        atop stores the counters of IPv4 in the order in which the kernel prints them.
        Kernels since 3.10 print checksum errors as third counter. atop has a member for
        these since 2.8. Where only one of the two has them, the following counters are
        in a wrong place. Counters behind OutErrors are not used: kernels since 6.3
        print others there, for which no version of atop has members.

        Args:
          event_data (AtopSystemEventData): event data.
          net (StructureView): network protocols in the system block.
        """
        if not self._kernel_version:
            return

        has_kernel = self._IsKernelSince(self._KERNEL_WITH_CHECKSUM_ERRORS)
        has_member = net.icmpv4.InCsumErrors is not None
        index = 1 + has_kernel - has_member

        for name, member_names, ipv6_member_name in self._ICMP_COUNTS:
            count = self._GetSum(
                getattr(net.icmpv4, member_names[index]),
                getattr(net.icmpv6, ipv6_member_name),
            )
            setattr(event_data, name, count)

    def _GetKernelVersion(self, release):
        """Determines the version of the kernel.

        Args:
          release (bytes): release of the kernel.

        Returns:
          tuple[int, int]: version or None if the release does not contain it.
        """
        match = self._KERNEL_VERSION_RE.match(release)
        return match and (int(match[1]), int(match[2]))

    def _SetMemory(self, event_data, sample, mem):
        """Sets the use of memory and swap space, and paging.

        Args:
          event_data (AtopSystemEventData): event data.
          sample (Sample): sample.
          mem (StructureView): memory in the system block.
        """
        for name, member_name in self._MEMORY_PAGES:
            size = self._GetSize(getattr(mem, member_name), self._log.page_size)
            setattr(event_data, name, size)

        for name, member_name in self._MEMORY_COUNTS:
            setattr(event_data, name, self._GetSize(getattr(mem, member_name)))

        # In 2.6 it is also 0 without ZFS.
        event_data.zfs_cache_size = event_data.zfs_cache_size or None

        # Kernels before 3.14 have no such figure.
        if not mem.availablemem:
            event_data.memory_available_size = None
        else:
            event_data.memory_available_percent = self._GetPercent(
                mem.availablemem, mem.physmem
            )
        event_data.memory_free_percent = self._GetPercent(mem.freemem, mem.physmem)
        if 0 <= mem.freeswap <= mem.totswap:
            event_data.swap_used_percent = self._GetPercent(
                mem.totswap - mem.freeswap, mem.totswap
            )

        self._SetHugePages(event_data, mem)
        self._SetReclaim(event_data, sample, mem)

    def _SetHugePages(self, event_data, mem):
        """Sets the huge pages. Since 2.10 there are two sizes.

        Args:
          event_data (AtopSystemEventData): event data.
          mem (StructureView): memory in the system block.
        """
        sizes = []
        for total, free, size in (
            (mem.tothugepage, mem.freehugepage, mem.hugepagesz),
            (mem.stothugepage, mem.sfreehugepage, mem.shugepagesz),
            (mem.ltothugepage, mem.lfreehugepage, mem.lhugepagesz),
        ):
            if None not in (total, free, size):
                if min(total, free, size) < 0:
                    return
                sizes.append((total * size, free * size))

        if sizes:
            total_size, free_size = map(sum, zip(*sizes))
            event_data.huge_pages_free_size = self._GetSize(free_size)
            event_data.huge_pages_size = self._GetSize(total_size)

    def _SetNetwork(self, event_data, net):
        """Sets the counters of the network protocols.

        Args:
          event_data (AtopSystemEventData): event data.
          net (StructureView): network protocols in the system block.
        """
        for name, protocol, member_name, ipv6_member_name in self._NETWORK_COUNTS:
            ipv4 = getattr(net, protocol)
            ipv6 = getattr(net, protocol.replace("v4", "v6"))
            count = self._GetSum(
                getattr(ipv4, member_name), getattr(ipv6, ipv6_member_name)
            )
            setattr(event_data, name, count)

        if net.ipv4.Forwarding in (1, 2):
            event_data.ipv4_forwarding = net.ipv4.Forwarding == 1

        for name, member_name in self._TCP_COUNTS:
            setattr(event_data, name, self._GetSize(getattr(net.tcp, member_name)))

        # atop leaves undefined what an older kernel does not report.
        if self._IsKernelSince(self._KERNEL_WITH_CHECKSUM_ERRORS):
            event_data.tcp_checksum_errors = self._GetSize(net.tcp.InCsumErrors)

    def _SetNFS(self, event_data, sample, nfs):
        """Sets the counters of the NFS client and server, since 2.2.

        Most hosts use neither: where all counters of one are 0 these are not set.

        Args:
          event_data (AtopSystemEventData): event data.
          sample (Sample): sample.
          nfs (StructureView): NFS in the system block.
        """
        for view, counts in (
            (nfs.client, self._NFS_CLIENT_COUNTS),
            (nfs.server, self._NFS_SERVER_COUNTS),
        ):
            if any(getattr(view, member_name) for _, member_name in counts):
                for name, member_name in counts:
                    count = self._GetCount(sample, getattr(view, member_name))
                    setattr(event_data, name, count)

        server = nfs.server
        if event_data.nfs_server_calls is not None:
            _, event_data.nfs_server_read_size = self._GetTransfers(
                sample, server.rpcread, server.nrbytes
            )
            _, event_data.nfs_server_written_size = self._GetTransfers(
                sample, server.rpcwrite, server.nwbytes
            )

    def _SetPressure(self, event_data, sample, psi):
        """Sets the pressure stall information, since 2.4.

        Args:
          event_data (AtopSystemEventData): event data.
          sample (Sample): sample.
          psi (StructureView): pressure in the system block.
        """
        for prefix, member_name in self._PRESSURES:
            view = getattr(psi, member_name)
            for seconds, value in (
                (10, view.avg10),
                (60, view.avg60),
                (300, view.avg300),
            ):
                average = self._GetAverage(value, 100.0)
                setattr(event_data, f"{prefix:s}_average_{seconds:d}", average)

            # Totals are in microseconds.
            if view.total >= 0:
                setattr(
                    event_data, f"{prefix:s}_time", self._GetSize(view.total // 1000)
                )
            if not sample.is_boot:
                percent = self._GetPercent(view.total, sample.interval * 1000000)
                setattr(event_data, f"{prefix:s}_percent", percent)

    def _SetProcessCounts(self, event_data, sample):
        """Sets the numbers of processes and threads.

        Args:
          event_data (AtopSystemEventData): event data.
          sample (Sample): sample.
        """
        record = sample.record
        version = sample.version_tuple

        event_data.number_of_exited_processes = record.nexit
        if version < (1, 27):
            event_data.number_of_processes = record.npresent
            event_data.number_of_running_threads = record.ntrun
            event_data.number_of_sleeping_threads = record.ntslpi
            event_data.number_of_uninterruptible_threads = record.ntslpu
            event_data.number_of_zombie_processes = record.nzombie
            return

        event_data.number_of_processes = record.totproc
        event_data.number_of_running_threads = record.totrun
        event_data.number_of_sleeping_threads = record.totslpi
        event_data.number_of_zombie_processes = record.totzomb

        # Since 2.3 the exited processes are counted among the processes.
        if version >= (2, 3):
            event_data.number_of_processes = self._GetSize(
                record.totproc - record.nexit
            )

        if version >= (2, 10):
            event_data.number_of_idle_threads = record.totidle

        # In these versions idle threads of the kernel are counted as uninterruptible.
        if not (2, 7) <= version <= (2, 9):
            event_data.number_of_uninterruptible_threads = record.totslpu

    def _SetReclaim(self, event_data, sample, mem):
        """Sets the counters of memory that was reclaimed.

        Args:
          event_data (AtopSystemEventData): event data.
          sample (Sample): sample.
          mem (StructureView): memory in the system block.
        """
        version = sample.version_tuple

        # Before 2.7 atop did not find the counters that later kernels have per zone.
        if version >= (2, 7) or self._IsKernelBefore(
            self._KERNEL_WITH_ALLOCSTALL_PER_ZONE
        ):
            event_data.allocation_stalls = self._GetSize(mem.allocstall)

        # Before 2.9 atop added up all counters whose names start alike. Later kernels
        # count every page twice there: by who scanned it and by its type.
        is_right = version >= (2, 9) or self._IsKernelBefore(
            self._KERNEL_WITH_PGSCAN_PER_TYPE
        )
        if is_right or not mem.pgscans:
            event_data.scanned_pages = self._GetSize(mem.pgscans)
        if is_right or not mem.pgsteal:
            event_data.reclaimed_pages = self._GetSize(mem.pgsteal)

    def _GetSum(self, *numbers):
        """Adds up counters.

        Args:
          numbers (list[int]): counters.

        Returns:
          int: sum or None if one of the counters is not valid.
        """
        if any(number is None or number < 0 for number in numbers):
            return None
        return self._GetSize(sum(numbers))

    def _IsKernelBefore(self, version):
        """Determines if the kernel is known to be older than a version.

        Args:
          version (tuple[int, int]): version.

        Returns:
          bool: True if it is.
        """
        return self._kernel_version is not None and self._kernel_version < version

    def _IsKernelSince(self, version):
        """Determines if the kernel is known to be of a version or newer.

        Args:
          version (tuple[int, int]): version.

        Returns:
          bool: True if it is.
        """
        return self._kernel_version is not None and self._kernel_version >= version

    def _RemoveInvalidTicks(self, sample, number_of_cpus, ticks):
        """Removes the parts of the CPU time that cannot be true.

        The kernel does not guarantee that its counters only grow: those of waiting and
        stolen time become smaller at times. Then atop does not store the time of the
        interval, but nearly 2^32 ticks, or since 2.7 the time since boot.

        Args:
          sample (Sample): sample.
          number_of_cpus (int): number of CPUs or None if not known.
          ticks (dict[str, int]): clock ticks per part. A part is set to None if the
              interval does not have that many. All are set to None if the sum of the
              others is still too large.

        Returns:
          int: clock ticks of all CPUs in the interval, or None if not known.
        """
        # Times of samples are whole seconds, and accounting is not exact to the tick.
        limit = 0
        if number_of_cpus and self._log.hertz:
            limit = (sample.interval + 2) * self._log.hertz * number_of_cpus * 11 // 10

        for name, value in ticks.items():
            if value is not None and not 0 <= value <= limit:
                ticks[name] = None

        total = sum(ticks[name] or 0 for name, _ in self._CPU_TIMES)
        if total <= limit:
            return total

        for name in ticks:
            ticks[name] = None
        return None

    def ProcessSample(self, parser_mediator, sample):
        """Extracts events from a sample.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (Sample): sample.
        """
        event_data = AtopSystemEventData()
        self._SetProcessCounts(event_data, sample)

        system = sample.system()
        if system:
            self._SetCPU(event_data, sample, system.cpu)
            self._SetMemory(event_data, sample, system.mem)
            self._SetNetwork(event_data, system.net)
            self._SetICMP(event_data, system.net)
            if system.nfs:
                self._SetNFS(event_data, sample, system.nfs)
            if system.psi and system.psi.present:
                self._SetPressure(event_data, sample, system.psi)

        self._ProduceSampleEventData(parser_mediator, sample, event_data)

    def Start(self, parser_mediator, log):
        """Starts with a log.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          log (rawlog.RawLog): log.
        """
        super().Start(parser_mediator, log)
        self._kernel_version = self._GetKernelVersion(log.kernel_release)


parser.AtopParser.RegisterPlugin(AtopSystemPlugin)
