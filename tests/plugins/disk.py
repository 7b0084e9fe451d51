"""Tests for the atop raw log disk plugin.

No real log has LVM or MD volumes or NFS mounts, these are tested with logs that are
built.
"""

import unittest

from plaso_atop import layouts

import log_builder
from tests.lib import test_lib
from tests.lib import sample_test_lib


class AtopDiskPluginTest(sample_test_lib.SamplePluginTestCase):
    """Tests for the atop raw log disk plugin."""

    PLUGIN_NAME = "disk"

    _INTERVAL = 600

    # 1.23 does not print disks.
    _VERSION_WITH_DISKS = (1, 26)

    def _CheckNFSMount(self, event_data, view, page_size=4096):
        """Checks the event data of an NFS mount.

        Args:
          event_data (EventData): event data.
          view (dict[str, object]): values of the members.
          page_size (Optional[int]): page size.
        """
        self.assertEqual(event_data.data_type, "linux:atop:nfs_mount")
        self.assertEqual(
            self._GetMeasuredValues(event_data),
            {
                "application_read_size": view["bytesread"],
                "application_written_size": view["byteswrite"],
                "direct_read_size": view["bytesdread"],
                "direct_written_size": view["bytesdwrite"],
                "mapped_read_size": view["pagesmread"] * page_size,
                "mapped_written_size": view["pagesmwrite"] * page_size,
                "mount_age_seconds": view["age"],
                "mount_device": view["mountdev"].decode("ascii"),
                "read_size": view["bytestotread"],
                "written_size": view["bytestotwrite"],
            },
        )

    def _GetExpectedDisk(self, view, disk_type, is_boot=False, interval=_INTERVAL):
        """Determines the expected values of a disk.

        Args:
          view (dict[str, object]): values of the members.
          disk_type (str): type of the disk.
          is_boot (Optional[bool]): True if the sample is the first of a run of atop.
          interval (Optional[int]): interval of the sample.

        Returns:
          dict[str, object]: values of the attributes.
        """
        values = {
            "busy_time": view["io_ms"],
            "disk_name": view["name"].decode("ascii"),
            "disk_type": disk_type,
            "number_of_reads": view["nread"],
            "number_of_writes": view["nwrite"],
            "read_size": view["nrsect"] * 512,
            "written_size": view["nwsect"] * 512,
        }
        if view["io_ms"]:
            values["average_queue_depth"] = round(view["avque"] / view["io_ms"], 2)
        if not is_boot:
            values["busy_percent"] = round(view["io_ms"] / interval / 10, 1)
        if view.get("ndisc", -1) != -1:
            values["number_of_discards"] = view["ndisc"]
            values["discarded_size"] = view["ndsect"] * 512
        if "inflight" in view and disk_type == "disk":
            values["number_of_pending_requests"] = view["inflight"]
        return values

    def _GetSystem(self, version=layouts.VERSIONS[-1], **disks):
        """Retrieves a system block with disks.

        Args:
          version (Optional[str]): version of atop.
          disks (dict[str, list[dict[str, object]]]): values of the members of the disks
              per list: dsk, mdd and lvm.

        Returns:
          dict[str, object]: values of the members of the system block.
        """
        if version == "1.23":
            return {"xdsk": {"nrxdsk": len(disks["dsk"]), "xdsk": disks["dsk"]}}

        counts = {f"n{name:s}": len(views) for name, views in disks.items()}
        return {"dsk": {**disks, **counts}}

    def testLogs(self):
        """Tests all disks of real logs, against what atop printed of them."""
        for log in test_lib.LOGS:
            if log.version_tuple < self._VERSION_WITH_DISKS:
                continue

            with self.subTest(log=log.name):
                number_of_events = 0

                for sample, elements in self._GetSamples(log):
                    rows = [
                        row
                        for row in sample.rows["DSK"]
                        if row["nread"] or row["nwrite"] or row.get("ndisc")
                    ]
                    self.assertEqual(len(elements), len(rows))
                    self.assertEqual(sample.rows["LVM"], [])
                    self.assertEqual(sample.rows["MDD"], [])
                    number_of_events += len(elements)

                    for event_data, row in zip(elements, rows):
                        values = self._GetMeasuredValues(event_data)

                        # Is printed since 2.8 only.
                        depth = values.pop("average_queue_depth", 0.0)
                        if "queue_depth" in row:
                            self.assertEqual(b"%.2f" % depth, row["queue_depth"])

                        row["avque"] = 0
                        expected_values = self._GetExpectedDisk(
                            row, "disk", sample.is_boot, sample.interval
                        )
                        expected_values.pop("average_queue_depth", None)
                        self.assertEqual(values, expected_values)

                self.assertGreater(number_of_events, 0)

    def testMembers(self):
        """Tests every member, in all versions and on all machine types."""
        for version, abi in sample_test_lib.VERSIONS_AND_ABIS:
            with self.subTest(version=version, abi=abi.name):
                structure = layouts.GetFileLayout(version, abi).sstat
                system = log_builder.GetDistinctValues(structure, 3, 1 << 14)

                lists = [("dsk", "disk"), ("lvm", "lvm"), ("mdd", "md")]
                disks = system.get("dsk")
                if version == "1.23":
                    lists = [("xdsk", "disk")]
                    disks = system["xdsk"]

                # The third element has no name, it ends the list.
                expected_values = []
                for name, disk_type in lists:
                    disks[name][2]["name"] = b""
                    expected_values.extend(
                        self._GetExpectedDisk(view, disk_type)
                        for view in disks[name][:2]
                    )

                nfs_mounts = system.get("nfs", {}).get("nfsmounts", {})
                if nfs_mounts:
                    nfs_mounts["nrmounts"] = 2

                elements = self._ParseSystem(
                    {}, system, version=version, abi=abi, pagesize=8192
                )
                number_of_mounts = nfs_mounts.get("nrmounts", 0)
                self.assertEqual(len(elements), len(expected_values) + number_of_mounts)
                for event_data, values in zip(elements, expected_values):
                    self.assertEqual(event_data.data_type, "linux:atop:disk")
                    self.assertEqual(self._GetMeasuredValues(event_data), values)

                for event_data, view in zip(
                    elements[len(expected_values) :], nfs_mounts.get("nfsmnt", [])
                ):
                    self._CheckNFSMount(event_data, view, page_size=8192)

    def testTransfers(self):
        """Tests that there are events for disks with transfers only."""
        for version in ("1.23", "1.26", "2.6", layouts.VERSIONS[-1]):
            members = ["nread", "nwrite", "io_ms"]
            if version == layouts.VERSIONS[-1]:
                members.append("ndisc")
            for member in members:
                disks = [
                    {"name": b"sda"},
                    {"name": b"sdb", member: 1},
                    {"name": b"sdc", "nrsect": 1, "nwsect": 1, "avque": 1},
                ]
                system = self._GetSystem(version=version, dsk=disks)
                elements = self._ParseSystem({}, system, version=version)
                self.assertEqual(
                    [event_data.disk_name for event_data in elements], ["sdb"], member
                )

    def testNFSMounts(self):
        """Tests that there are events for NFS mounts with transfers only."""
        idle = {
            "mountdev": b"nas:/a",
            "age": 1000,
            "bytestotread": 0,
            "bytestotwrite": 0,
            "bytesread": 0,
            "byteswrite": 0,
            "bytesdread": 0,
            "bytesdwrite": 0,
            "pagesmread": 0,
            "pagesmwrite": 0,
        }
        for member in set(idle).difference(["mountdev", "age"]):
            active = {**idle, "mountdev": b"nas:/b", member: 1}
            system = {"nfs.nfsmounts": {"nrmounts": 2, "nfsmnt": [idle, active]}}
            for version in ("2.2-3", layouts.VERSIONS[-1]):
                (element,) = self._ParseSystem({}, system, version=version)
                self._CheckNFSMount(element, active)

        # Without a valid page size there is an event all the same.
        active = {**idle, "pagesmread": 1}
        system = {"nfs.nfsmounts": {"nrmounts": 1, "nfsmnt": [active]}}
        (element,) = self._ParseSystem(
            {}, system, pagesize=0, warnings=["header damaged"]
        )
        self.assertIsNone(element.mapped_read_size)

        # What stands behind the last mount does not count, nor does a hostile number.
        for number_of_mounts, expected_count in ((0, 0), (-1, 0), (0x7FFFFFFF, 64)):
            system["nfs.nfsmounts"] = {
                "nrmounts": number_of_mounts,
                "nfsmnt": [active] * 64,
            }
            self.assertEqual(len(self._ParseSystem({}, system)), expected_count)

    def testBusyTime(self):
        """Tests how busy a disk was."""
        for io_ms, avque, busy_time, busy_percent, depth in (
            (0, 0, 0, 0.0, None),
            (300000, 450000, 300000, 50.0, 1.5),
            # The interval may be up to a second longer.
            (601000, 0, 601000, 100.0, 0.0),
            (601001, 0, None, None, None),
            # Not the time in an interval of 10 minutes, but since boot or nearly 2^32.
            (700000, 700000, None, None, None),
            ((1 << 32) - 5, 1, None, None, None),
            (-1, 1, None, None, None),
            (10, -1, 10, 0.0, None),
        ):
            disk = {"name": b"sda", "nread": 1, "nrsect": 8, "io_ms": io_ms}
            system = self._GetSystem(dsk=[{**disk, "avque": avque}])
            (element,) = self._ParseSystem({}, system)
            self.assertEqual(element.busy_time, busy_time)
            self.assertEqual(element.busy_percent, busy_percent)
            self.assertEqual(element.average_queue_depth, depth)

        # Older kernels do not measure it for MD volumes.
        disk = {"name": b"md0", "nread": 1, "nrsect": 8}
        (element,) = self._ParseSystem({}, self._GetSystem(mdd=[disk]))
        self.assertIsNone(element.busy_time)
        self.assertIsNone(element.busy_percent)

    def testDiscards(self):
        """Tests discards, which not all kernels count."""
        disk = {"name": b"sda", "nread": 1, "nrsect": 8, "ndisc": -1}
        for version in ("2.7", layouts.VERSIONS[-1]):
            (element,) = self._ParseSystem(
                {}, self._GetSystem(dsk=[disk]), version=version
            )
            self.assertIsNone(element.number_of_discards)
            self.assertIsNone(element.discarded_size)

    def testSinceBoot(self):
        """Tests that counters that are not those of an interval are marked."""
        disk = {"name": b"sda", "nread": 1 << 32, "nrsect": 1 << 33, "io_ms": 5000}
        nfs_mounts = {
            "nrmounts": 1,
            "nfsmnt": [{"mountdev": b"nas:/a", "bytestotread": 1 << 40}],
        }
        for version in ("1.23", "2.6", layouts.VERSIONS[-1]):
            system = self._GetSystem(version=version, dsk=[disk])
            if version != "1.23":
                system["nfs"] = {"nfsmounts": nfs_mounts}
            elements = self._ParseSystem(system, version=version)
            self.assertEqual(elements[0].number_of_reads, 1 << 32)
            self.assertEqual(elements[0].busy_time, 5000)
            self.assertIsNone(elements[0].busy_percent)
            for event_data in elements:
                self.assertIs(event_data.since_boot, True)

    def testFormerValues(self):
        """Tests counters that became smaller, as a disk was added again."""
        wrap = 1 << 32
        disk = {
            "name": b"sdb",
            # 1000 requests had been made, now there are 3.
            "nread": wrap - 1000 + 3,
            "nrsect": wrap - 8000 + 24,
            "nwrite": 5,
            "nwsect": 40,
            "io_ms": wrap - 700 + 2,
        }
        system = self._GetSystem(dsk=[disk])
        for version in ("1.26", "2.6"):
            (element,) = self._ParseSystem({}, system, version=version)
            self.assertEqual(
                self._GetMeasuredValues(element),
                {
                    "disk_name": "sdb",
                    "disk_type": "disk",
                    "number_of_writes": 5,
                    "written_size": 20480,
                },
            )

        # More than 2^32 sectors are nothing special.
        disk = {"name": b"sdb", "nread": 1 << 25, "nrsect": 1 << 33}
        (element,) = self._ParseSystem({}, self._GetSystem(dsk=[disk]), version="2.6")
        self.assertEqual(element.read_size, 1 << 42)

        # Some volumes count requests without data.
        disk = {"name": b"vg-root", "nwrite": 7, "nwsect": 0}
        (element,) = self._ParseSystem({}, self._GetSystem(lvm=[disk]), version="2.6")
        self.assertEqual(element.number_of_writes, 7)
        self.assertEqual(element.written_size, 0)

    def testHostileValues(self):
        """Tests values that no atop stores."""
        largest = (1 << 63) - 1
        disks = [
            {"name": b"\x1b[31m", "nread": largest, "nrsect": largest, "avque": -1},
            {"name": b"sdb", "nwrite": -1, "nwsect": -1, "nread": 1, "nrsect": -1},
            {"name": b"sdc", "nread": -1, "nwrite": -largest - 1, "io_ms": -1},
            {"name": b"sdd", "ndisc": 1, "ndsect": largest, "inflight": -1},
            {"name": b"x" * 32, "nread": 1, "nrsect": 1 << 54},
        ]
        elements = self._ParseSystem({}, self._GetSystem(dsk=disks))
        self.assertEqual(
            [event_data.disk_name for event_data in elements],
            ["\\x1b[31m", "sdb", "sdd", "x" * 32],
        )
        self.assertEqual(elements[0].number_of_reads, largest)
        self.assertIsNone(elements[0].read_size)
        self.assertIsNone(elements[1].number_of_writes)
        self.assertIsNone(elements[1].written_size)
        self.assertIsNone(elements[1].read_size)
        self.assertIsNone(elements[2].discarded_size)
        self.assertIsNone(elements[3].read_size)
        self.assertIsNone(elements[2].number_of_pending_requests)

    def testMessages(self):
        """Tests the messages."""
        disk = {"name": b"sda", "nread": 2, "nrsect": 16, "io_ms": 6000}
        hanging_disk = {"name": b"sdb", "io_ms": 600000, "inflight": 3}
        volume = {"name": b"vg0-home", "nwrite": 1, "nwsect": 8}
        nfs_mount = {"mountdev": b"nas:/export", "age": 86400, "bytestotread": 1000}

        boot_disk, element, hanging, logical_volume, mount = self._ParseSystem(
            self._GetSystem(dsk=[disk]),
            {
                **self._GetSystem(dsk=[disk, hanging_disk], lvm=[volume]),
                "nfs.nfsmounts": {"nrmounts": 1, "nfsmnt": [nfs_mount]},
            },
        )
        self.assertEqual(
            self._GetMessages(boot_disk)[0],
            "Disk: sda since boot Read: 8192 bytes Reads: 2",
        )
        self.assertEqual(
            self._GetMessages(element)[0],
            "Disk: sda in 600 s Read: 8192 bytes Reads: 2 Busy: 1.0%",
        )
        self.assertEqual(
            self._GetMessages(hanging)[0],
            "Disk: sdb in 600 s Busy: 100.0% Pending requests: 3",
        )
        self.assertEqual(
            self._GetMessages(logical_volume)[0],
            "Disk: vg0-home in 600 s Type: LVM Written: 4096 bytes Writes: 1",
        )
        self.assertEqual(
            self._GetMessages(mount)[0],
            "NFS mount: nas:/export in 600 s Read: 1000 bytes Mounted for: 86400 s",
        )


if __name__ == "__main__":
    unittest.main()
