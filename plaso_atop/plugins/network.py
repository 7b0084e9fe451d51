"""Plugin for the network interfaces in an atop raw log."""

import itertools

from plaso.containers import events

from plaso_atop import parser
from plaso_atop.plugins import interface


class AtopNetworkInterfaceEventData(events.EventData):
    """Traffic of a network interface event data.

    Counters cover the interval up to the sample, unless since_boot is set. Those of an
    interface that was added in the interval are its totals.

    Attributes:
      collisions (int): number of collisions.
      hostname (str): name of the host.
      interface_name (str): name of the interface. For an InfiniBand port, name of the
          adapter, a slash and number of the port.
      interface_speed (int): speed in megabits per second. Not set if not known.
      interface_type (str): "ethernet", "wireless" or "infiniband". Not set for other
          interfaces, which are mostly virtual, nor before 2.2-3.
      interval_seconds (int): time since the sample before, or in the first sample of a
          run of atop since the system was started, in seconds.
      offset (int): offset of the sample relative to the start of the file.
      received_dropped_packets (int): number of received packets that were dropped.
      received_errors (int): number of errors in receiving.
      received_multicast_packets (int): number of multicast packets received.
      received_packets (int): number of packets received.
      received_size (int): size of received data in bytes. For an InfiniBand port this
          is four times the number that atop prints with the label IFB: atop prints
          units of 4 bytes.
      sample_time (dfdatetime.DateTimeValues): date and time of the sample.
      sent_dropped_packets (int): number of packets to send that were dropped.
      sent_errors (int): number of errors in sending.
      sent_packets (int): number of packets sent.
      sent_size (int): size of sent data in bytes. See received_size.
      since_boot (bool): True if the counters are totals since the system was started or
          the interface was added, as in the first sample of a run of atop.
    """

    DATA_TYPE = "linux:atop:network_interface"

    def __init__(self):
        """Initializes event data."""
        super().__init__(data_type=self.DATA_TYPE)
        self.collisions = None
        self.hostname = None
        self.interface_name = None
        self.interface_speed = None
        self.interface_type = None
        self.interval_seconds = None
        self.offset = None
        self.received_dropped_packets = None
        self.received_errors = None
        self.received_multicast_packets = None
        self.received_packets = None
        self.received_size = None
        self.sample_time = None
        self.sent_dropped_packets = None
        self.sent_errors = None
        self.sent_packets = None
        self.sent_size = None
        self.since_boot = None


class AtopNetworkPlugin(interface.AtopPlugin):
    """Plugin for the network interfaces in an atop raw log."""

    NAME = "network"
    DATA_FORMAT = "atop raw log network interface activity"

    _COUNTERS = (
        ("collisions", "scollis"),
        ("received_dropped_packets", "rdrop"),
        ("received_errors", "rerrs"),
        ("received_multicast_packets", "rmultic"),
        ("sent_dropped_packets", "sdrop"),
        ("sent_errors", "serrs"),
    )

    # A port of InfiniBand counts data in units of 4 bytes.
    _INFINIBAND_UNIT_SIZE = 4

    _INTERFACE_TYPES = {b"e": "ethernet", b"w": "wireless"}

    # Drivers that do not know the speed report -1, in 16 or in 32 bits.
    _UNKNOWN_SPEEDS = (0xFFFF, 0xFFFFFFFF)

    def _SetTraffic(self, event_data, sample, received, sent):
        """Sets the packets and bytes of an interface.

        Args:
          event_data (AtopNetworkInterfaceEventData): event data.
          sample (Sample): sample.
          received (tuple[int, int]): number of packets and of bytes received.
          sent (tuple[int, int]): number of packets and of bytes sent.
        """
        event_data.received_packets, event_data.received_size = self._GetTransfers(
            sample, *received
        )
        event_data.sent_packets, event_data.sent_size = self._GetTransfers(
            sample, *sent
        )

    def _ProcessInfinibandPorts(self, parser_mediator, sample, system):
        """Extracts events from the InfiniBand ports, since 2.4.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (Sample): sample.
          system (StructureView): system block.
        """
        if not system.ifb:
            return

        for port in itertools.islice(system.ifb.ifb, max(0, system.ifb.nrports)):
            if not port.ibname:
                break

            event_data = AtopNetworkInterfaceEventData()
            event_data.interface_name = f"{self._GetText(port.ibname)}/{port.portnr:d}"
            event_data.interface_speed = self._GetSize(port.rate) or None
            event_data.interface_type = "infiniband"

            unit_size = self._INFINIBAND_UNIT_SIZE
            self._SetTraffic(
                event_data,
                sample,
                (port.rcvp, port.rcvb * unit_size),
                (port.sndp, port.sndb * unit_size),
            )
            self._ProduceInterface(parser_mediator, sample, event_data)

    def _ProcessInterfaces(self, parser_mediator, sample, system):
        """Extracts events from the interfaces of the kernel.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (Sample): sample.
          system (StructureView): system block.
        """
        for view in system.intf.intf:
            # The first one without a name ends the list.
            if not view.name:
                break

            event_data = AtopNetworkInterfaceEventData()
            event_data.interface_name = self._GetText(view.name)
            event_data.interface_type = self._INTERFACE_TYPES.get(view.type)
            if view.speed > 0 and view.speed not in self._UNKNOWN_SPEEDS:
                event_data.interface_speed = view.speed

            self._SetTraffic(
                event_data,
                sample,
                (view.rpack, view.rbyte),
                (view.spack, view.sbyte),
            )
            for name, member_name in self._COUNTERS:
                count = self._GetCount(sample, getattr(view, member_name))
                setattr(event_data, name, count)

            self._ProduceInterface(parser_mediator, sample, event_data)

    def _ProduceInterface(self, parser_mediator, sample, event_data):
        """Produces the event data of an interface that had traffic or errors.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (Sample): sample.
          event_data (AtopNetworkInterfaceEventData): event data.
        """
        names = ["received_packets", "received_size", "sent_packets", "sent_size"]
        names.extend(name for name, _ in self._COUNTERS)
        if any(getattr(event_data, name) for name in names):
            self._ProduceSampleEventData(parser_mediator, sample, event_data)

    def ProcessSample(self, parser_mediator, sample):
        """Extracts events from a sample.

        Args:
          parser_mediator (ParserMediator): mediates interactions between parsers
              and other components, such as storage and dfVFS.
          sample (Sample): sample.
        """
        system = sample.system()
        if system:
            self._ProcessInterfaces(parser_mediator, sample, system)
            self._ProcessInfinibandPorts(parser_mediator, sample, system)


parser.AtopParser.RegisterPlugin(AtopNetworkPlugin)
