"""Memory that what is remembered of processes takes, which has a bound.

Knows nothing of Plaso.
"""

import sys

from plaso_atop import ancestors
from plaso_atop import processes


class ProcessMemory:
    """Memory of processes: counts its size, and shares what is equal.

    Most processes have the control group, the ancestors and the identifiers of others.
    """

    # Enough for 50,000 processes whose command lines have 255 bytes. Only a forged log
    # exceeds it.
    _MAXIMUM_SIZE = 43 * 1024 * 1024 // processes.Process.SIZE_UNIT

    _MAXIMUM_NUMBER_OF_IDENTIFIERS = 1000
    _MAXIMUM_SHARED_SIZE = 2 * 1024 * 1024

    # Sizes in bytes: of an entry of what is shared, and of identifiers that are not
    # shared.
    _ENTRY_SIZE = 120
    _IDENTIFIERS_SIZE = 480

    _ANCESTOR_SIZE = ancestors.Ancestor.SIZE // processes.Process.SIZE_UNIT
    _ANCESTOR_VALUES_SIZE = (
        ancestors.Ancestor.VALUES_SIZE // processes.Process.SIZE_UNIT
    )

    def __init__(self):
        """Initializes memory without processes."""
        super().__init__()
        self._identifiers = {}
        self._shared = {}
        self._shared_size = 0
        self._size = 0

    @property
    def is_full(self):
        """bool: True if no more is to be remembered."""
        return self._size >= self._MAXIMUM_SIZE

    def Add(self, process):
        """Adds a process. Only what its descendants need of it is counted so far.

        Args:
          process (processes.Process): process.
        """
        process.as_ancestor.number_of_references += 1
        self._size += self._ANCESTOR_SIZE

    def AddUnknown(self):
        """Adds an ancestor of which only the identifier is known."""
        self._size += self._ANCESTOR_SIZE + self._ANCESTOR_VALUES_SIZE

    def Count(self, process):
        """Counts what a process takes now.

        Args:
          process (processes.Process): process.
        """
        size = process.GetSize()
        if process.ids not in self._identifiers:
            size += self._IDENTIFIERS_SIZE // process.SIZE_UNIT
        for value in (process.ancestors, process.cgroup):
            if value and value not in self._shared:
                size += sys.getsizeof(value) // process.SIZE_UNIT

        self._size += size - process.state_size
        process.state_size = size

    def Remove(self, process):
        """Removes a process. What its descendants need of it stays.

        Args:
          process (processes.Process): process.
        """
        self._size -= process.state_size
        process.state_size = 0

        number_of_ancestors = process.as_ancestor.Release()
        if not number_of_ancestors:
            # Its values are not those of a process any more.
            self._size += self._ANCESTOR_VALUES_SIZE
        else:
            self._size -= self._ANCESTOR_SIZE * number_of_ancestors
            self._size -= self._ANCESTOR_VALUES_SIZE * (number_of_ancestors - 1)

    def Share(self, value):
        """Retrieves a text that equal ones share.

        Args:
          value (bytes|str): text or None if not known.

        Returns:
          bytes|str: text, the same object where it was retrieved before. None if it is
              empty or not known.
        """
        if not value or value in self._shared:
            return self._shared.get(value)

        size = self._ENTRY_SIZE + sys.getsizeof(value)
        if self._shared_size + size <= self._MAXIMUM_SHARED_SIZE:
            self._shared[value] = value
            self._shared_size += size
        return value

    def ShareIdentifiers(self, ids):
        """Retrieves identifiers of user and group that equal ones share.

        Args:
          ids (tuple[int]): identifiers.

        Returns:
          tuple[int]: identifiers, the same object where they were retrieved before.
        """
        if len(self._identifiers) < self._MAXIMUM_NUMBER_OF_IDENTIFIERS:
            return self._identifiers.setdefault(ids, ids)
        return self._identifiers.get(ids, ids)
