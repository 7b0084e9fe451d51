"""Tests for the atop raw log reader, with garbage that looks like samples."""

import collections
import io
import time
import unittest

from plaso_atop import rawlog

from tests.lib import garbage
from tests.lib import test_lib

Result = collections.namedtuple(
    "Result",
    ["kind", "size", "file_size", "number_of_samples", "hidden", "hidden_size", "time"],
)
Result.__doc__ = """What was read of a log with garbage.

Attributes:
  kind (str): kind of garbage.
  size (int): size of the garbage in bytes.
  file_size (int): size of the log in bytes.
  number_of_samples (int): number of samples behind the garbage.
  hidden (int): number of these that were not found.
  hidden_size (int): size of these in bytes.
  time (float): CPU time in seconds.
"""


def ReadGarbage(kind, size, number_of_samples):
    """Reads a log with garbage in it.

    Args:
      kind (str): kind of garbage, one of garbage.KINDS.
      size (int): size of the garbage in bytes.
      number_of_samples (int): number of samples behind the garbage.

    Returns:
      Result: result.
    """
    with open(test_lib.GetTestFilePath(["atop-2.12.1.raw"]), "rb") as file_object:
        original = file_object.read()

    log = rawlog.RawLog(io.BytesIO(original))
    samples = [original[sample.offset : sample.end_offset] for sample in log.samples()]
    behind = [samples[index % len(samples)] for index in range(number_of_samples)]

    made = garbage.KINDS[kind](size, b"".join(behind))
    offset = len(original) + len(made)
    expected = {}
    for sample in behind:
        expected[offset] = len(sample)
        offset += len(sample)

    data = b"".join([original, made, *behind])
    start_time = time.process_time()
    log = rawlog.RawLog(io.BytesIO(data))
    for sample in log.samples():
        if not sample.is_damaged:
            expected.pop(sample.offset, None)

    return Result(
        kind,
        len(made),
        len(data),
        number_of_samples,
        len(expected),
        sum(expected.values()),
        time.process_time() - start_time,
    )


class GarbageTest(unittest.TestCase):
    """Tests with garbage that was made to look like samples."""

    def testSmallGarbage(self):
        """Tests that garbage of up to 64 KiB hides no sample."""
        for kind in garbage.KINDS:
            for size in (1000, 15386, 64 * 1024):
                with self.subTest(kind=kind, size=size):
                    result = ReadGarbage(kind, size, 30)
                    self.assertEqual((result.size, result.hidden), (size, 0))

    def testLargeGarbage(self):
        """Tests that larger garbage hides at most as much as its own size."""
        for kind in garbage.KINDS:
            with self.subTest(kind=kind):
                result = ReadGarbage(kind, 400000, 100)
                self.assertLessEqual(result.hidden_size, result.size)


if __name__ == "__main__":
    unittest.main()
