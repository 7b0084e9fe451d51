"""Tests for text of a log that is made safe to show."""

import random
import re
import unittest

from plaso_atop import text

_ESCAPE_RE = re.compile(r"\\x([0-9a-f]{2})|((?:\\u[0-9a-f]{4})+)")


def Unescape(value):
    """Reverses what text.Escape does, without its code.

    Args:
      value (str): escaped text.

    Returns:
      bytes: text.
    """
    pieces = []
    offset = 0
    for match in _ESCAPE_RE.finditer(value):
        pieces.append(value[offset : match.start()].encode("utf-8"))
        offset = match.end()
        if match[1]:
            pieces.append(bytes.fromhex(match[1]))
        else:
            encoded = bytes.fromhex(match[2].replace("\\u", ""))
            pieces.append(encoded.decode("utf-16-be").encode("utf-8"))

    pieces.append(value[offset:].encode("utf-8"))
    return b"".join(pieces)


class EscapeTest(unittest.TestCase):
    """Tests for Escape."""

    def testEscape(self):
        """Tests texts of every kind."""
        for value, expected in (
            (b"", ""),
            (b"/usr/bin/python3 -c 'a b'", "/usr/bin/python3 -c 'a b'"),
            ("käse 日本".encode("utf-8"), "käse 日本"),
            (b"a\r\n\tb\x00\x7f", "a\\x0d\\x0a\\x09b\\x00\\x7f"),
            (b"\x1b[31m\x9b\xff", "\\x1b[31m\\x9b\\xff"),
            # Each of these has a code point below 256, but is no single byte.
            ("\u0085\u00a0\u00ad".encode("utf-8"), "\\u0085\\u00a0\\u00ad"),
            ("\u202e\u200b\ufeff".encode("utf-8"), "\\u202e\\u200b\\ufeff"),
            ("\U000e0001!".encode("utf-8"), "\\udb40\\udc01!"),
            # A lone surrogate is not UTF-8.
            (b"\xed\xa0\x80", "\\xed\\xa0\\x80"),
            # What looks like an escape sequence is none.
            (b"\\x41 \\xFF \\u202e \\uFEFF", "\\x5cx41 \\x5cxFF \\x5cu202e \\x5cuFEFF"),
            (b"\\\\x41", "\\\\x5cx41"),
            (b"C:\\xampp \\u12 \\n \\", "C:\\xampp \\u12 \\n \\"),
            (b"\\\x01", "\\\\x01"),
        ):
            self.assertEqual(text.Escape(value), expected)
            self.assertEqual(Unescape(expected), value)

    def testReversible(self):
        """Tests that the shown text determines the original text."""
        generator = random.Random(20261121)
        alphabet = [b"\\", b"x", b"u", b"4", b"1", b"f", b"0", b" ", b"\x85", b"\xff"]
        alphabet.extend(
            character.encode("utf-8") for character in "\x00\x1b\u0085\u202e\U000e0041é"
        )
        for _ in range(50000):
            value = b"".join(generator.choices(alphabet, k=generator.randrange(12)))
            shown = text.Escape(value)
            self.assertTrue(shown.isprintable())
            self.assertEqual(Unescape(shown), value)


if __name__ == "__main__":
    unittest.main()
