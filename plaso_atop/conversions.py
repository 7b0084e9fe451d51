"""Finding the version of atop that recorded a sample, also where it was converted.

atopconvert copies samples to the structures of a later version, and atop goes on in the
same file with samples of its own. Neither the header nor a record says which is which.
What the version of the original lacks is 0 in what atopconvert writes. Some of that is
never 0 in a sample that a later version has recorded: these members are the markers.

Source: logs of 14 versions, converted by the atopconvert of ten releases.
"""

import functools
import itertools

from plaso_atop import layouts

# Versions with a marker, the newest first. Nothing tells those between them apart.
_MARKED_VERSIONS = ("2.13", "2.10", "2.9", "2.8", "2.7", "2.6", "2.3", "2.1")

# Members of the sstat of which one is not 0 in samples of a version and later ones.
_SYSTEM_MARKERS = {
    "2.13": ("mem.lowwatermark",),
    # The kernel gives the first since 3.14, the second where it has such huge pages.
    "2.10": ("mem.availablemem", "mem.lhugepagesz"),
    "2.8": ("mem.pagetables", "mem.pgins", "mem.pgouts"),
    "2.7": ("cpunuma.nrnuma", "memnuma.nrnuma"),
    # The second is the name since 2.10.
    "2.1": ("mem.hugepagesz", "mem.shugepagesz"),
}

# Members of the tstat of which one is not 0 where a task was alive and used the CPU.
_TASK_MARKERS = {
    "2.9": ("cpu.nvcsw", "cpu.nivcsw"),
    "2.6": ("cpu.rundelay",),
}

# The first and the last version whose atopconvert shifts the network counters of logs
# up to 2.7.
_SHIFTING_VERSION_TUPLES = ((2, 8), (2, 10))

# MaxConn, which is always -1, stands behind the 120 s of RtoMax.
_SHIFTED_RTO_MAX = -1

# Entries that are looked at. A larger list is inflated once more for each time.
_MAXIMUM_NUMBER_OF_TASKS = 4096

_STATE_EXITED = b"E"


@functools.lru_cache(maxsize=None)
def _GetUnpacker(structure, names):
    """Retrieves an unpacker of members of a structure.

    Args:
      structure (layouts.Structure): layout.
      names (tuple[str, ...]): names of the members as Structure.Flatten gives them.

    Returns:
      struct.Struct: unpacker of those members that the structure has, in the order of
          their offset.
    """
    unpacker, _ = structure.GetUnpacker(names)
    return unpacker


def IsShifted(layout, version_tuple):
    """Determines if the network counters of a sample are shifted.

    Args:
      layout (layouts.FileLayout): layout of the structures in the file.
      version_tuple (tuple[int, int]): version that recorded the sample.

    Returns:
      bool: True if they are.
    """
    file_version_tuple = layouts.GetVersionTuple(layout.version)
    first_version_tuple, last_version_tuple = _SHIFTING_VERSION_TUPLES
    return (
        version_tuple < first_version_tuple <= file_version_tuple <= last_version_tuple
    )


class VersionFinder:
    """Finds the version of atop that recorded a sample.

    Where a sample does not tell, it is taken for one of the same version as the one
    that was asked for before it.
    """

    def __init__(self, layout):
        """Initializes a finder.

        Args:
          layout (layouts.FileLayout): layout of the structures in the file.
        """
        super().__init__()
        self._layout = layout
        self._previous_version = layout.version
        self._version_tuple = layouts.GetVersionTuple(layout.version)

    def _CountsExits(self, sample):
        """Determines if exits are among the tasks that a record counts, as since 2.3.

        Since then all tasks are stored, and the inactive ones are marked.

        Args:
          sample (rawlog.Sample): sample with a whole process list.

        Returns:
          bool: True if they are, None if the sample does not tell.
        """
        record = sample.record
        if record.ndeviat != record.ntask:
            return False
        if any(map(any, self._IterateTasks(sample, "gen.wasinactive"))):
            return True

        number_of_processes = sum(map(any, self._IterateTasks(sample, "gen.isproc")))
        return False if 0 < number_of_processes != record.totproc else None

    def _HasMarker(self, sample, system_data, version):
        """Determines if a sample has the marker of a version.

        Args:
          sample (rawlog.Sample): sample.
          system_data (bytes): inflated system block.
          version (str): version, one of _MARKED_VERSIONS.

        Returns:
          bool: True if it has, None if the sample does not tell.
        """
        if version == "2.8" and self._version_tuple <= _SHIFTING_VERSION_TUPLES[-1]:
            rto_max = self._GetSystemValues(system_data, "net.tcp.RtoMax")
            return _SHIFTED_RTO_MAX not in rto_max

        # 32-bit kernels mostly have no nodes.
        if version == "2.7" and self._layout.abi.long_size < 8:
            return None

        if version in _SYSTEM_MARKERS:
            return any(self._GetSystemValues(system_data, *_SYSTEM_MARKERS[version]))

        if not sample.has_tasks:
            return None
        if version in _TASK_MARKERS:
            return self._HasTaskMarker(sample, *_TASK_MARKERS[version])
        return self._CountsExits(sample)

    def _HasTaskMarker(self, sample, *names):
        """Determines if figures were recorded of tasks that used the CPU.

        Args:
          sample (rawlog.Sample): sample with a whole process list.
          names (tuple[str, ...]): names of the members as Structure.Flatten gives them,
              of which one is not 0.

        Returns:
          bool: True if they were recorded of most of these tasks, None if no task used
              the CPU. Of some there can be remains of something else.
        """
        number_of_tasks = 0
        number_of_marked = 0
        entries = self._IterateTasks(
            sample, "gen.state", "cpu.utime", "cpu.stime", *names
        )
        for state, utime, stime, *values in itertools.islice(
            entries, _MAXIMUM_NUMBER_OF_TASKS
        ):
            if state != _STATE_EXITED and utime + stime > 0:
                number_of_tasks += 1
                number_of_marked += any(values)

        return number_of_marked > number_of_tasks / 2 if number_of_tasks else None

    def _GetSystemValues(self, system_data, *names):
        """Retrieves members of a system block.

        Args:
          system_data (bytes): inflated system block.
          names (tuple[str, ...]): names of the members as Structure.Flatten gives them.

        Returns:
          tuple[int, ...]: values of those members that the structure has.
        """
        return _GetUnpacker(self._layout.sstat, names).unpack(system_data)

    def _IterateTasks(self, sample, *names):
        """Retrieves members of the entries of a process list.

        Args:
          sample (rawlog.Sample): sample with a whole process list.
          names (tuple[str, ...]): names of the members as Structure.Flatten gives them,
              in the order of their offset.

        Returns:
          Iterator[tuple[bytes|int, ...]]: values of each entry.
        """
        structure = self._layout.tstat
        iter_unpack = _GetUnpacker(structure, names).iter_unpack
        pieces = sample.tasks_block.GetPieces(structure.size)
        return itertools.chain.from_iterable(map(iter_unpack, pieces))

    def FindVersion(self, sample):
        """Determines the version of atop that recorded a sample.

        Args:
          sample (rawlog.Sample): sample.

        Returns:
          str: version, one of layouts.VERSIONS. The last one that can have recorded it
              if atopconvert has written it.
        """
        system_data = self._layout.sstat and sample.system_block.GetData()
        if not system_data or not any(
            self._GetSystemValues(system_data, "mem.physmem")
        ):
            return self._previous_version

        # The last version that can have recorded it, and the first.
        version = self._layout.version
        first_version_tuple = (0, 0)
        for marked_version in _MARKED_VERSIONS:
            marked_version_tuple = layouts.GetVersionTuple(marked_version)
            if marked_version_tuple > self._version_tuple:
                continue

            has_marker = self._HasMarker(sample, system_data, marked_version)
            if has_marker:
                first_version_tuple = marked_version_tuple
                break
            if has_marker is not None:
                index = layouts.VERSIONS.index(marked_version)
                version = layouts.VERSIONS[index - 1]

        if (
            first_version_tuple
            <= layouts.GetVersionTuple(self._previous_version)
            <= layouts.GetVersionTuple(version)
        ):
            version = self._previous_version

        self._previous_version = version
        return version
