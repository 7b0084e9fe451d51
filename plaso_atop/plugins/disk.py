"""Plugin for the disks, volumes and NFS mounts in an atop raw log."""

import itertools

from plaso.containers import events

from plaso_atop import parser
from plaso_atop.plugins import interface


class AtopDiskEventData(events.EventData):
    """Transfers of a disk or volume event data.

    Counters cover the interval up to the sample, unless since_boot is set. Those of a
    disk that was added in the interval are its totals.

    Attributes:
      average_queue_depth (float): average number of requests at a time while the disk
          was busy.
      busy_percent (float): share of the interval in which the disk was busy. Intervals
          are whole seconds, so the share is capped at 100.0.
      busy_time (int): time in which the disk was busy, in milliseconds. Not set if it
          exceeds the interval by more than a second, which is impossible. Not set if it
          is 0 for software RAID, as older kernels do not measure that. busy_percent and
          average_queue_depth are not set then either.
      discarded_size (int): size of discarded (trimmed) data in bytes. atop 2.7 and
          later, not set if the kernel does not report it.
      disk_name (str): name of the disk or volume.
      disk_type (str): "disk", "md" for software RAID, or "lvm" for what the device
          mapper provides: logical, encrypted (dm-crypt) and multipath volumes.
      hostname (str): name of the host.
      interval_seconds (int): time since the sample before, or in the first sample of a
          run of atop since the system was started, in seconds.
      number_of_discards (int): number of discard requests. See discarded_size.
      number_of_pending_requests (int): number of requests that were not finished at the
          time of the sample. atop 2.8 and later, for disks only.
      number_of_reads (int): number of read requests.
      number_of_writes (int): number of write requests.
      offset (int): offset of the sample relative to the start of the file.
      read_size (int): size of data read in bytes.
      sample_time (dfdatetime.DateTimeValues): date and time of the sample.
      since_boot (bool): True if the counters are totals since the system was started or
          the disk was added, as in the first sample of a run of atop.
      written_size (int): size of data written in bytes.
    """

    DATA_TYPE = "linux:atop:disk"

    def __init__(self):
        """Initializes event data."""
        super().__init__(data_type=self.DATA_TYPE)
        self.average_queue_depth = None
        self.busy_percent = None
        self.busy_time = None
        self.discarded_size = None
        self.disk_name = None
        self.disk_type = None
        self.hostname = None
        self.interval_seconds = None
        self.number_of_discards = None
        self.number_of_pending_requests = None
        self.number_of_reads = None
        self.number_of_writes = None
        self.offset = None
        self.read_size = None
        self.sample_time = None
        self.since_boot = None
        self.written_size = None


class AtopNFSMountEventData(events.EventData):
    """Transfers of a mounted NFS file system event data.

    Counters cover the interval up to the sample, unless since_boot is set.

    Attributes:
      application_read_size (int): size of data that applications read, cached or not,
          in bytes. Direct and memory mapped I/O are not included.
      application_written_size (int): size of data that applications wrote, in bytes.
          Direct and memory mapped I/O are not included.
      direct_read_size (int): size of data that applications read with direct I/O, in
          bytes.
      direct_written_size (int): size of data that applications wrote with direct I/O,
          in bytes.
      hostname (str): name of the host.
      interval_seconds (int): time since the sample before, or in the first sample of a
          run of atop since the system was started, in seconds.
      mapped_read_size (int): size of the memory pages that were read for memory mapped
          I/O, in bytes.
      mapped_written_size (int): size of the memory pages that were written for memory
          mapped I/O, in bytes.
      mount_age_seconds (int): time since the file system was mounted, in seconds.
      mount_device (str): server and path that is mounted.
      offset (int): offset of the sample relative to the start of the file.
      read_size (int): size of data read from the server in bytes.
      sample_time (dfdatetime.DateTimeValues): date and time of the sample.
      since_boot (bool): True if the counters are totals since the file system was
          mounted, as in the first sample of a run of atop.
      written_size (int): size of data written to the server in bytes.
    """

    DATA_TYPE = "linux:atop:nfs_mount"

    def __init__(self):
        """Initializes event data."""
        super().__init__(data_type=self.DATA_TYPE)
        self.application_read_size = None
        self.application_written_size = None
        self.direct_read_size = None
        self.direct_written_size = None
        self.hostname = None
        self.interval_seconds = None
        self.mapped_read_size = None
        self.mapped_written_size = None
        self.mount_age_seconds = None
        self.mount_device = None
        self.offset = None
        self.read_size = None
        self.sample_time = None
        self.since_boot = None
        self.written_size = None


class AtopDiskPlugin(interface.AtopPlugin):
    """Plugin for the disks, volumes and NFS mounts in an atop raw log."""

    NAME = "disk"
    DATA_FORMAT = "atop raw log disk activity"
    IS_DEFAULT = False

    _DISK_TYPES = (("dsk", "disk"), ("lvm", "lvm"), ("mdd", "md"))

    _NFS_MOUNT_PAGES = (
        ("mapped_read_size", "pagesmread"),
        ("mapped_written_size", "pagesmwrite"),
    )

    _NFS_MOUNT_SIZES = (
        ("application_read_size", "bytesread"),
        ("application_written_size", "byteswrite"),
        ("direct_read_size", "bytesdread"),
        ("direct_written_size", "bytesdwrite"),
        ("read_size", "bytestotread"),
        ("written_size", "bytestotwrite"),
    )

    _SECTOR_SIZE = 512

    def _SetBusyTime(self, event_data, sample, view):
        """Sets how busy a disk was.

        Args:
          event_data (AtopDiskEventData): event data.
          sample (Sample): sample.
          view (StructureView): disk.
        """
        # Times of samples are whole seconds: the interval can be up to one longer.
        # Older kernels do not measure the time of MD volumes.
        if not 0 <= view.io_ms <= (sample.interval + 1) * 1000 or (
            event_data.disk_type == "md" and not view.io_ms
        ):
            return

        event_data.busy_time = view.io_ms
        if view.io_ms and view.avque >= 0:
            event_data.average_queue_depth = round(view.avque / view.io_ms, 2)
        if not sample.is_boot:
            event_data.busy_percent = self._GetPercent(
                view.io_ms, sample.interval * 1000
            )

    def _ProcessDisk(self, parser_mediator, sample, view, disk_type):
        """Extracts an event from a disk that was used.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (Sample): sample.
          view (StructureView): disk.
          disk_type (str): type of the disk.
        """
        event_data = AtopDiskEventData()
        event_data.disk_name = self._GetText(view.name)
        event_data.disk_type = disk_type

        event_data.number_of_reads, event_data.read_size = self._GetTransfers(
            sample, view.nread, view.nrsect, self._SECTOR_SIZE
        )
        event_data.number_of_writes, event_data.written_size = self._GetTransfers(
            sample, view.nwrite, view.nwsect, self._SECTOR_SIZE
        )
        event_data.number_of_discards = self._GetSize(view.ndisc)
        if event_data.number_of_discards is not None:
            event_data.discarded_size = self._GetSize(view.ndsect, self._SECTOR_SIZE)
        if disk_type == "disk":
            event_data.number_of_pending_requests = self._GetSize(view.inflight)
        self._SetBusyTime(event_data, sample, view)

        # A disk that hangs is busy, but finishes no request.
        if (
            event_data.number_of_reads
            or event_data.number_of_writes
            or event_data.number_of_discards
            or event_data.busy_time
        ):
            self._ProduceSampleEventData(parser_mediator, sample, event_data)

    def _ProcessNFSMount(self, parser_mediator, sample, view):
        """Extracts an event from an NFS mount that had transfers.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (Sample): sample.
          view (StructureView): NFS mount.
        """
        event_data = AtopNFSMountEventData()
        event_data.mount_age_seconds = self._GetSize(view.age)
        event_data.mount_device = self._GetText(view.mountdev)

        has_transfers = False
        for attributes, unit in (
            (self._NFS_MOUNT_PAGES, self._log.page_size),
            (self._NFS_MOUNT_SIZES, 1),
        ):
            for name, member_name in attributes:
                number = getattr(view, member_name)
                has_transfers = has_transfers or number > 0
                setattr(event_data, name, self._GetSize(number, unit))

        if has_transfers:
            self._ProduceSampleEventData(parser_mediator, sample, event_data)

    def ProcessSample(self, parser_mediator, sample):
        """Extracts events from a sample.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (Sample): sample.
        """
        system = sample.system()
        if not system:
            return

        # atop 1.23 stores neither MD nor LVM volumes, and uses other names.
        disks = system.dsk
        disk_lists = (
            [(system.xdsk.xdsk, "disk")]
            if not disks
            else [
                (getattr(disks, name), disk_type)
                for name, disk_type in self._DISK_TYPES
            ]
        )
        for views, disk_type in disk_lists:
            # The first one without a name ends the list.
            for view in itertools.takewhile(lambda view: view.name, views):
                self._ProcessDisk(parser_mediator, sample, view, disk_type)

        nfs_mounts = system.nfs and system.nfs.nfsmounts
        if nfs_mounts:
            number_of_mounts = max(0, nfs_mounts.nrmounts)
            for view in itertools.islice(nfs_mounts.nfsmnt, number_of_mounts):
                self._ProcessNFSMount(parser_mediator, sample, view)


parser.AtopParser.RegisterPlugin(AtopDiskPlugin)
