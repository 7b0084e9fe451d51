"""Text of a log, made safe to show."""

import re

# Characters to escape, and a backslash that would look like the start of an escape.
_UNSAFE_RE = re.compile(r"\\(?=x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})|[^\\]")


def _EscapeCharacter(match):
    """Escapes a character where it has to be.

    Args:
      match (re.Match): character.

    Returns:
      str: escape sequence, or the character itself if it can be shown.
    """
    character = match[0]
    if character != "\\" and character.isprintable():
        return character

    code_point = ord(character)
    if code_point < 0x80:
        return f"\\x{code_point:02x}"

    # A byte that is not UTF-8, see the error handler.
    if 0xDC80 <= code_point <= 0xDCFF:
        return f"\\x{code_point - 0xDC00:02x}"

    encoded = character.encode("utf-16-be")
    return "".join(
        f"\\u{encoded[index : index + 2].hex():s}"
        for index in range(0, len(encoded), 2)
    )


def Escape(value):
    r"""Converts text to a string that is safe to show.

    Different texts give different strings. A byte of value NN that is not UTF-8, or is
    a control character, is written as \xNN. Any other character that cannot be printed
    is written as \uNNNN, or as a pair of these beyond U+FFFF. Where the text itself has
    such a sequence, its backslash is escaped: \x5cxNN.

    Args:
      value (bytes): text, UTF-8 where it is valid.

    Returns:
      str: text that only has characters that can be printed.
    """
    text = value.decode("utf-8", errors="surrogateescape")
    if text.isprintable() and "\\" not in text:
        return text

    return _UNSAFE_RE.sub(_EscapeCharacter, text)
