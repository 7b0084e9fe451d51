"""Tests for the atop raw log reader, and the parser, with mutated logs."""

import collections.abc
import io
import itertools
import random
import unittest

import hypothesis
from hypothesis import strategies

from plaso_atop import parser
from plaso_atop import rawlog
from plaso_atop import views

from tests.lib import mutations
from tests.lib import test_lib


def ReadSystem(view):
    """Reads every member of a structure.

    Args:
      view (views.StructureView): structure.
    """
    for name, attribute in vars(type(view)).items():
        if not isinstance(attribute, property):
            continue

        value = getattr(view, name)
        if isinstance(value, views.StructureView):
            ReadSystem(value)
        elif isinstance(value, collections.abc.Iterator):
            for element in itertools.islice(value, 3):
                ReadSystem(element)


def ReadSamples(data):
    """Reads all of a log.

    Args:
      data (bytes): contents of the log.

    Returns:
      list[bytes]: samples that are wholly intact, as they are in the log.
    """
    samples = []
    log = rawlog.RawLog(io.BytesIO(data))
    for sample in log.samples():
        for task in sample.tasks():
            # What is not unpacked at once.
            # pylint: disable-next=pointless-statement
            task.gpu_state, task.tcpsnd, task.prio, task.container, task.cmdline
        system = sample.system()
        if system:
            ReadSystem(system)
        list(sample.cgroups())
        if sample.has_tasks and system and sample.IsIntact():
            samples.append(data[sample.offset : sample.end_offset])
    return samples


class MutatedLogTest(test_lib.ParserTestCase):
    """Tests with mutated logs."""

    @classmethod
    def setUpClass(cls):
        """Reads the logs to mutate."""
        super().setUpClass()
        cls._originals = mutations.ReadOriginals()

    def CheckLog(self, seed):
        """Checks that a mutated log gives up every intact sample.

        Args:
          seed (int): seed of the mutations.
        """
        mutator = mutations.Mutator(self._originals, random.Random(seed))
        data, original = mutator.Mutate()

        try:
            samples = ReadSamples(data)
        except rawlog.FormatError:
            # Not refused but for the header.
            self.assertFalse(
                mutator.is_header_intact and len(data) > original.header_size
            )
            samples = None

        if mutator.is_header_intact and samples is not None:
            # What was mutated may be intact all the same, as its checksum was made
            # anew, but of the others all are there, once, in order.
            expected = mutations.FindSamples(data, original)
            self.assertEqual(
                [sample for sample in samples if sample in expected], expected
            )

        storage_writer = self._ParseLog(data)
        for message in self._GetWarnings(storage_writer):
            self.assertNotIn("plugin", message)

    def _ParseLog(self, data):
        """Parses a log with all plugins.

        Args:
          data (bytes): contents of the log.

        Returns:
          FakeStorageWriter: storage writer.
        """
        try:
            return self._ParseData(data, parser.AtopParser())
        except parser.errors.WrongParser:
            return self._CreateStorageWriter()

    @hypothesis.settings(
        deadline=None, max_examples=300, derandomize=True, database=None
    )
    @hypothesis.given(strategies.integers(min_value=0, max_value=1 << 32))
    def testMutatedLog(self, seed):
        """Tests mutated logs."""
        self.CheckLog(seed)


if __name__ == "__main__":
    unittest.main()
