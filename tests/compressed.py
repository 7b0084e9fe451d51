"""Tests for the decompression of files."""

import bz2
import gzip
import io
import lzma
import random
import unittest

from plaso_atop import compressed

from tests.lib import test_lib

COMPRESS_FUNCTIONS = {
    compressed.BZIP2: bz2.compress,
    compressed.GZIP: gzip.compress,
    compressed.XZ: lzma.compress,
}


class CompressedTest(unittest.TestCase):
    """Tests for the decompression of files."""

    @classmethod
    def setUpClass(cls):
        """Makes data with a part that compresses well."""
        super().setUpClass()
        random_source = random.Random(1)
        cls._data = random_source.randbytes(100000) + bytes(300000)
        cls._data += random_source.randbytes(100000)

    def _Decompress(self, data, compression):
        """Decompresses data.

        Args:
          data (bytes): compressed data.
          compression (str): name of the format.

        Returns:
          tuple[bytes, str]: decompressed data and what went wrong or None.
        """
        pieces = []
        try:
            for piece in compressed.Decompress(io.BytesIO(data), compression):
                self.assertLessEqual(len(piece), 65536)
                pieces.append(piece)
        except compressed.DecompressionError as exception:
            return b"".join(pieces), str(exception)
        return b"".join(pieces), None

    def testDecompress(self):
        """Tests all formats."""
        for compression, compress in COMPRESS_FUNCTIONS.items():
            for data in (b"", b"a", self._data):
                compressed_data = compress(data)
                self.assertEqual(
                    compressed.GetCompression(compressed_data), compression
                )
                result = self._Decompress(compressed_data, compression)
                self.assertEqual(result, (data, None))

                result = self._Decompress(
                    compressed_data + bytes(20000) + compressed_data + bytes(4),
                    compression,
                )
                self.assertEqual(result, (data + data, None))

    def testGetCompression(self):
        """Tests what is not compressed, as far as is known."""
        for data in (b"", b"\x1f", b"\x1f\x8b", b"\xef\xbe\xed\xfe", b"BZ", bytes(8)):
            self.assertIsNone(compressed.GetCompression(data))

    def testCut(self):
        """Tests that what was cut gives what is before the cut."""
        for compression, compress in COMPRESS_FUNCTIONS.items():
            compressed_data = compress(self._data)
            for size in (0, 5, 50, 50000, len(compressed_data) - 1):
                data, problem = self._Decompress(compressed_data[:size], compression)
                self.assertTrue(self._data.startswith(data))
                self.assertEqual(problem, "file is cut")
                # bzip2 has blocks of 900 kB.
                if size == 50000 and compression != compressed.BZIP2:
                    self.assertGreater(len(data), 40000)

    def testDamaged(self):
        """Tests that damage of any kind is one kind of error."""
        random_source = random.Random(2)
        number_of_problems = 0
        for compression, compress in COMPRESS_FUNCTIONS.items():
            compressed_data = compress(self._data[90000:110000])
            for _ in range(300):
                data = bytearray(compressed_data)
                # The first and last bytes are those that mean something.
                offset = random_source.randrange(40)
                for index in (offset, -1 - offset, random_source.randrange(len(data))):
                    if random_source.randrange(2):
                        data[index] ^= 1 << random_source.randrange(8)
                _, problem = self._Decompress(data, compression)
                number_of_problems += problem is not None

        self.assertGreater(number_of_problems, 700)

    def testLastByte(self):
        """Tests that all is there where only the checksum is wrong."""
        compressed_data = bytearray(gzip.compress(self._data))
        compressed_data[-5] ^= 1
        data, problem = self._Decompress(compressed_data, compressed.GZIP)
        self.assertEqual(data, self._data)
        self.assertIn("incorrect data check", problem)

    def testReadError(self):
        """Tests a file on a bad sector."""
        compressed_data = gzip.compress(self._data)
        file_object = test_lib.UnreadableFile(
            compressed_data, (50000, len(compressed_data))
        )
        pieces = []
        with self.assertRaisesRegex(
            compressed.DecompressionError, "^Input/output error$"
        ):
            for piece in compressed.Decompress(file_object, compressed.GZIP):
                pieces.append(piece)

        self.assertTrue(self._data.startswith(b"".join(pieces)))
        # What is in the same read as the bad sector, but before it.
        self.assertGreater(sum(map(len, pieces)), 49000)

    def testOpen(self):
        """Tests the temporary file."""
        file_object = io.BytesIO(lzma.compress(self._data))
        temporary_file, problem = compressed.Open(file_object, compressed.XZ)
        with temporary_file:
            self.assertIsNone(problem)
            self.assertEqual(temporary_file.tell(), len(self._data))
            temporary_file.seek(0)
            self.assertEqual(temporary_file.read(), self._data)


if __name__ == "__main__":
    unittest.main()
