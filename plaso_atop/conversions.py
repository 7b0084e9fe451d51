"""Finding the version of atop that recorded a sample, also where it was converted.

atopconvert copies samples to the structures of a later version, and atop goes on in the
same file with samples of its own. Neither the header nor a record says which is which.
What the version of the original lacks is 0 in what atopconvert writes. Some of that is
never 0 in a sample that a later version has recorded: these members are the markers.

Source: logs of 13 versions, converted by the atopconvert of ten releases.
"""

import functools
import itertools

from plaso_atop import layouts

# Versions with a marker, the newest first. Nothing tells those between them apart.
_MARKED_VERSIONS = ("2.13", "2.10", "2.9", "2.8", "2.7", "2.6", "2.3", "2.1")

_VERSIONS_MARKED_BY_TASKS = ("2.9", "2.6")

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

# The first and the last version whose atopconvert shifts the network counters of logs
# up to 2.7.
_SHIFTING_VERSION_TUPLES = ((2, 8), (2, 10))

# MaxConn, which is always -1, stands behind the 120 s of RtoMax.
_SHIFTED_RTO_MAX = -1

# Entries that are looked at. A list with more is inflated again to look at it.
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
        self._previous_version = None
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

        entries = self._IterateTasks(sample, "gen.isproc", maximum=None)
        number_of_processes = sum(map(any, entries))
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

        if version in _SYSTEM_MARKERS:
            if any(self._GetSystemValues(system_data, *_SYSTEM_MARKERS[version])):
                return True

            # Some kernels have no nodes. atopconvert knows no number of killed
            # processes, as no kernel before 4.13 does.
            oomkills = self._GetSystemValues(system_data, "mem.oomkills")
            return version == "2.7" and any(value >= 0 for value in oomkills)

        if not sample.has_tasks:
            return None
        if version == "2.9":
            return self._HasSwitches(sample)
        if version == "2.6":
            return self._HasRunDelay(sample)
        return self._CountsExits(sample)

    def _HasRunDelay(self, sample):
        """Determines if the run delay of tasks was recorded, as since 2.6.

        Args:
          sample (rawlog.Sample): sample with a whole process list.

        Returns:
          bool: True if a task has some, None if none has and none used the CPU.
        """
        is_used = False
        for utime, stime, rundelay in self._IterateTasks(
            sample, "cpu.utime", "cpu.stime", "cpu.rundelay"
        ):
            if rundelay:
                return True
            is_used = is_used or utime + stime > 0
        return False if is_used else None

    def _HasSwitches(self, sample):
        """Determines if the context switches of tasks were recorded, as since 2.9.

        A task that used the CPU was switched to. 2.8 leaves remains in their place.

        Args:
          sample (rawlog.Sample): sample with a whole process list.

        Returns:
          bool: True if most living tasks that used the CPU have some, None if none
              used it.
        """
        number_of_tasks = 0
        number_of_switched = 0
        for state, utime, stime, nvcsw, nivcsw in self._IterateTasks(
            sample, "gen.state", "cpu.utime", "cpu.stime", "cpu.nvcsw", "cpu.nivcsw"
        ):
            if state != _STATE_EXITED and utime + stime > 0:
                number_of_tasks += 1
                number_of_switched += bool(nvcsw or nivcsw)

        return number_of_switched > number_of_tasks / 2 if number_of_tasks else None

    def _GetSystemValues(self, system_data, *names):
        """Retrieves members of a system block.

        Args:
          system_data (bytes): inflated system block.
          names (tuple[str, ...]): names of the members as Structure.Flatten gives them.

        Returns:
          tuple[int, ...]: values of those members that the structure has.
        """
        return _GetUnpacker(self._layout.sstat, names).unpack(system_data)

    def _IterateTasks(self, sample, *names, maximum=_MAXIMUM_NUMBER_OF_TASKS):
        """Retrieves members of the entries of a process list.

        Args:
          sample (rawlog.Sample): sample with a whole process list.
          names (tuple[str, ...]): names of the members as Structure.Flatten gives them,
              in the order of their offset.
          maximum (Optional[int]): number of entries, None for all.

        Returns:
          Iterator[tuple[bytes|int, ...]]: values of each entry.
        """
        structure = self._layout.tstat
        iter_unpack = _GetUnpacker(structure, names).iter_unpack
        pieces = sample.tasks_block.GetPieces(structure.size)
        entries = itertools.chain.from_iterable(map(iter_unpack, pieces))
        return itertools.islice(entries, maximum)

    def FindVersion(self, sample):
        """Determines the version of atop that recorded a sample.

        Args:
          sample (rawlog.Sample): sample.

        Returns:
          str: version, one of layouts.VERSIONS. The last one that can have recorded it
              if atopconvert has written it.
        """
        previous_version = self._previous_version or self._layout.version
        previous_version_tuple = layouts.GetVersionTuple(previous_version)
        system_data = self._layout.sstat and sample.system_block.GetData()
        if not system_data or not any(
            self._GetSystemValues(system_data, "mem.physmem")
        ):
            return previous_version

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

            # Of a few tasks none may have what others had before. What atopconvert
            # writes is in front of what atop goes on with.
            if has_marker is None or (
                marked_version in _VERSIONS_MARKED_BY_TASKS
                and self._previous_version
                and previous_version_tuple >= marked_version_tuple
            ):
                continue

            index = layouts.VERSIONS.index(marked_version)
            version = layouts.VERSIONS[index - 1]

        if (
            first_version_tuple
            <= previous_version_tuple
            <= layouts.GetVersionTuple(version)
        ):
            version = previous_version

        self._previous_version = version
        return version
