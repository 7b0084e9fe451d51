"""Tests for the atop raw log network plugin."""

import unittest

from plaso_atop import layouts

import log_builder
from tests.lib import test_lib
from tests.lib import sample_test_lib


class AtopNetworkPluginTest(sample_test_lib.SamplePluginTestCase):
    """Tests for the atop raw log network plugin."""

    PLUGIN_NAME = "network"

    # Attributes and the C members that they are, which are columns of NET rows, too.
    _COUNTERS = {
        "collisions": "scollis",
        "received_dropped_packets": "rdrop",
        "received_errors": "rerrs",
        "received_multicast_packets": "rmultic",
        "received_packets": "rpack",
        "received_size": "rbyte",
        "sent_dropped_packets": "sdrop",
        "sent_errors": "serrs",
        "sent_packets": "spack",
        "sent_size": "sbyte",
    }

    # Since then NET rows have more than packets and bytes.
    _VERSION_WITH_ERRORS = (2, 12)

    def _GetSystem(self, *interfaces, **kwargs):
        """Retrieves a system block with interfaces.

        Args:
          interfaces (list[dict[str, object]]): values of the members of the interfaces.
          kwargs (dict[str, object]): values of other members.

        Returns:
          dict[str, object]: values of the members of the system block.
        """
        return {"intf.nrintf": len(interfaces), "intf.intf": interfaces, **kwargs}

    def testLogs(self):
        """Tests all interfaces of real logs, against what atop printed of them."""
        for log in test_lib.LOGS:
            with self.subTest(log=log.name):
                has_errors = log.version_tuple >= self._VERSION_WITH_ERRORS
                number_of_events = 0

                for sample, elements in self._GetSamples(log):
                    rows = [
                        row
                        for row in sample.rows["NET"]
                        if row["rpack"] or row["spack"]
                    ]
                    self.assertEqual(len(elements), len(rows))
                    number_of_events += len(elements)

                    for event_data, row in zip(elements, rows):
                        values = self._GetMeasuredValues(event_data)
                        expected_values = {
                            name: row[column]
                            for name, column in self._COUNTERS.items()
                            if column in row
                        }
                        expected_values["interface_name"] = row["name"].decode("ascii")
                        if row["speed"]:
                            expected_values["interface_speed"] = row["speed"]

                        # What atop does not print, in these logs.
                        if not has_errors:
                            for name in set(self._COUNTERS).difference(expected_values):
                                self.assertEqual(values.pop(name), 0)
                        interface_type = values.pop("interface_type", None)
                        self.assertIn(interface_type, (None, "ethernet"))
                        if log.version_tuple < (2, 2):
                            self.assertIsNone(interface_type)

                        self.assertEqual(values, expected_values)

                self.assertGreater(number_of_events, 0)

    def testMembers(self):
        """Tests every member, in all versions and on all machine types."""
        for version, abi in sample_test_lib.VERSIONS_AND_ABIS:
            with self.subTest(version=version, abi=abi.name):
                structure = layouts.GetFileLayout(version, abi).sstat
                system = log_builder.GetDistinctValues(structure, 3, 1 << 20)
                interfaces = system["intf"]["intf"]

                # Received and sent bytes are never less than packets.
                interfaces[0]["name"] = "br-é".encode("utf-8")
                for view in interfaces:
                    view["rbyte"] += 1 << 33
                    view["sbyte"] += 1 << 33
                interfaces[2]["name"] = b""

                has_type = "type" in interfaces[0]
                if has_type:
                    interfaces[0]["type"] = b"e"
                    interfaces[1]["type"] = b"w"

                ports = []
                if "ifb" in system:
                    system["ifb"]["nrports"] = 2
                    ports = system["ifb"]["ifb"][:2]

                elements = self._ParseSystem({}, system, version=version, abi=abi)
                self.assertEqual(len(elements), 2 + len(ports))

                names = ["br-é", interfaces[1]["name"].decode("ascii")]
                types = ["ethernet", "wireless"]
                for event_data, view, name, interface_type in zip(
                    elements, interfaces, names, types
                ):
                    expected_values = {
                        name: view[member] for name, member in self._COUNTERS.items()
                    }
                    expected_values["interface_name"] = name
                    expected_values["interface_speed"] = view["speed"]
                    if has_type:
                        expected_values["interface_type"] = interface_type
                    self.assertEqual(
                        self._GetMeasuredValues(event_data), expected_values
                    )

                for event_data, port in zip(elements[2:], ports):
                    name = f"{port['ibname'].decode('ascii'):s}/{port['portnr']:d}"
                    self.assertEqual(
                        self._GetMeasuredValues(event_data),
                        {
                            "interface_name": name,
                            "interface_speed": port["rate"],
                            "interface_type": "infiniband",
                            "received_packets": port["rcvp"],
                            "received_size": port["rcvb"] * 4,
                            "sent_packets": port["sndp"],
                            "sent_size": port["sndb"] * 4,
                        },
                    )

    def testTraffic(self):
        """Tests that there are events for interfaces with traffic only."""
        for member in self._COUNTERS.values():
            idle = {"name": b"eth0", "speed": 1000, "duplex": 1, "type": b"e"}
            active = {"name": b"eth1", member: 1}
            last = {"name": b"eth2", "rpack": 1, "rbyte": 60}
            elements = self._ParseSystem({}, self._GetSystem(idle, active, last))
            self.assertEqual(
                [event_data.interface_name for event_data in elements],
                ["eth1", "eth2"],
                member,
            )

    def testFullList(self):
        """Tests a list that is full, so that no interface without a name ends it."""
        interfaces = [
            {"name": b"eth%d" % index, "rpack": 1, "rbyte": 60} for index in range(128)
        ]
        elements = self._ParseSystem({}, self._GetSystem(*interfaces))
        self.assertEqual(len(elements), 128)

    def testSinceBoot(self):
        """Tests that counters that are not those of an interval are marked."""
        system = self._GetSystem({"name": b"eth0", "rpack": 1 << 32, "rbyte": 1 << 40})
        for version in ("1.23", "2.6", layouts.VERSIONS[-1]):
            elements = self._ParseSystem(system, version=version)
            self.assertEqual(
                [
                    (element.since_boot, element.received_packets)
                    for element in elements
                ],
                [(True, 1 << 32)],
            )

        elements = self._ParseSystem({}, system)
        self.assertIsNone(elements[0].since_boot)

    def testFormerValues(self):
        """Tests counters that became smaller, as an interface was added again."""
        wrap = 1 << 32
        for received, sent, expected_received, expected_sent in (
            # 1000 packets had been received and sent, now there are 3 and 4.
            (
                (wrap - 1000 + 3, wrap - 500000 + 200),
                (wrap - 1000 + 4, wrap - 600000 + 300),
                (None, None),
                (None, None),
            ),
            # 3,000,000,000 had been received, with a size that no 32 bits hold.
            (
                (wrap - 3000000000, wrap - 5000000000),
                (5, 500),
                (None, None),
                (5, 500),
            ),
            # And with one that looks plausible.
            ((wrap - 3000000000, wrap - 4200000000), (5, 500), (None, None), (5, 500)),
            # A true size.
            ((3000000, wrap - 1), (3000000, wrap + 1), None, None),
        ):
            system = self._GetSystem(
                {
                    "name": b"tun0",
                    "rpack": received[0],
                    "rbyte": received[1],
                    "spack": sent[0],
                    "sbyte": sent[1],
                    "rdrop": 7,
                    "serrs": wrap - 9,
                }
            )
            for version in ("1.23", "2.6"):
                (element,) = self._ParseSystem({}, system, version=version)
                self.assertEqual(
                    (element.received_packets, element.received_size),
                    expected_received or received,
                )
                self.assertEqual(
                    (element.sent_packets, element.sent_size), expected_sent or sent
                )
                self.assertEqual(element.received_dropped_packets, 7)
                self.assertIsNone(element.sent_errors)

        # The largest numbers that are shown, and the smallest that are not.
        for number, size, expected_values in (
            ((1 << 31) - 1, 1 << 40, ((1 << 31) - 1, 1 << 40)),
            (1 << 31, 1 << 40, (None, None)),
            ((1 << 24) - 1, 9, ((1 << 24) - 1, 9)),
            (1 << 24, 9, (None, None)),
            (1 << 24, 1 << 24, (1 << 24, 1 << 24)),
        ):
            system = self._GetSystem(
                {"name": b"tun0", "rpack": number, "rbyte": size, "spack": 1}
            )
            (element,) = self._ParseSystem({}, system, version="2.6")
            self.assertEqual(
                (element.received_packets, element.received_size), expected_values
            )

        # Since 2.7 atop stores what there is after the interface was added again.
        system = self._GetSystem({"name": b"tun0", "rpack": wrap, "rbyte": wrap * 60})
        (element,) = self._ParseSystem({}, system, version="2.7")
        self.assertEqual(element.received_packets, wrap)

    def testHostileValues(self):
        """Tests values that no atop stores."""
        largest = (1 << 63) - 1
        system = self._GetSystem(
            {"name": b"eth\x1b[0m", "rpack": -1, "rbyte": largest, "speed": -1},
            {"name": b"\xff" * 16, "spack": 1, "sbyte": -largest - 1, "type": b"\xff"},
            {"name": b"eth0", "rpack": -1, "spack": -1, "rbyte": -1},
            {"name": b"eth1", "rpack": 1, "speed": 0xFFFF},
            {"name": b"eth2", "rpack": 1, "speed": 0xFFFFFFFF},
            **{
                "ifb.nrports": -1,
                "ifb.ifb": [{"ibname": b"mlx5_0", "rcvp": 1, "rcvb": 1}],
            },
        )
        elements = self._ParseSystem({}, system)
        self.assertEqual(
            [event_data.interface_name for event_data in elements],
            ["eth\\x1b[0m", "\\xff" * 16, "eth1", "eth2"],
        )
        self.assertEqual(elements[0].received_size, largest)
        self.assertIsNone(elements[0].received_packets)
        self.assertIsNone(elements[1].sent_size)
        for event_data in elements:
            self.assertIsNone(event_data.interface_speed)
            self.assertIsNone(event_data.interface_type)

        # More ports than there is room for, and a size that is not a number of events.
        port = {"ibname": b"mlx5_0", "portnr": -1, "rcvp": 1, "rcvb": 1 << 62}
        system = {"ifb.nrports": 0x7FFFFFFF, "ifb.ifb": [port] * 32}
        elements = self._ParseSystem({}, system)
        self.assertEqual(len(elements), 32)
        self.assertEqual(elements[0].interface_name, "mlx5_0/-1")
        self.assertIsNone(elements[0].received_size)

    def testDamagedSystemBlock(self):
        """Tests that there is no event without a system block."""
        builder = log_builder.LogBuilder()
        system = self._GetSystem({"name": b"eth0", "rpack": 1, "rbyte": 60})
        offset = builder.AddSample(log_builder.T0, flags=1, system=system)
        builder.AddSample(log_builder.T0 + 600, system=system)

        data = bytearray(builder.Build())
        data[offset + builder.layout.rawrecord.size + 20] ^= 0xFF
        elements = self._GetBuiltEventData(bytes(data), ["system block damaged"])
        self.assertEqual(
            [element.sample_time.timestamp for element in elements],
            [log_builder.T0 + 600],
        )

    def testMessages(self):
        """Tests the messages."""
        interface = {
            "name": b"eth0",
            "spack": 12,
            "sbyte": 1288490188,
            "rpack": 34,
            "rbyte": 3565158,
        }
        boot, idle_errors = self._ParseSystem(
            self._GetSystem(interface),
            self._GetSystem({"name": b"=eth1", "rerrs": 1, "serrs": 2, "rdrop": 3}),
        )
        self.assertEqual(
            self._GetMessages(boot)[0],
            "Interface: eth0 since boot Sent: 1288490188 bytes Received: 3565158 bytes "
            "Packets sent: 12 Packets received: 34",
        )
        self.assertEqual(
            self._GetMessages(idle_errors)[0],
            "Interface: =eth1 in 600 s Send errors: 2 Receive errors: 1 Dropped in "
            "receiving: 3",
        )


if __name__ == "__main__":
    unittest.main()
