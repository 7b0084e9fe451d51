"""Comparisons of attributes with regular expressions.

Sigma compares the text that a program was given. Event data has it as it is shown: what
cannot be printed is escaped by plaso_atop.text. Patterns are changed accordingly.
"""

import dataclasses
import re
import typing

from plaso_atop import text

# How text.Escape writes one character, whatever the case of a pattern is. A backslash
# that would look like the start of it is escaped itself, so that nothing else in an
# event does.
_ESCAPE = r"(?-i:\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}))"

# Keeps a backslash from matching the start of an escape.
GUARD = rf"(?!{_ESCAPE:s})"

_DIGITS = "0123456789abcdef"

# Characters that text.Escape writes as \xNN. The backslash is one only at times.
_ESCAPED_CHARACTERS = [chr(code) for code in range(0x20)] + ["\\", "\x7f"]
_PRINTABLE_CHARACTERS = [chr(code) for code in range(0x20, 0x7F) if code != 0x5C]

# Tokens of a regular expression: an escape sequence, a set or one character.
TOKEN = (
    r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|0[0-7]{0,2}|[1-7][0-7]{2}|.)|"
    r"\[\^?\]?(?:\\.|[^\]\\])*\]|."
)

# Edges of words, which what is escaped is no part of.
_IS_BEHIND_ESCAPE = r"(?-i:(?<=\\x[0-9a-f]{2})|(?<=\\u[0-9a-f]{4}))"
_IS_NOT_BEHIND_ESCAPE = r"(?-i:(?<!\\x[0-9a-f]{2})(?<!\\u[0-9a-f]{4}))"
_EDGES = {
    r"\b": rf"(?:{_IS_BEHIND_ESCAPE:s}(?=\w)|{_IS_NOT_BEHIND_ESCAPE:s}\b)",
    r"\B": rf"(?:{_IS_BEHIND_ESCAPE:s}(?!\w)|{_IS_NOT_BEHIND_ESCAPE:s}\B)",
}


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Comparison of an attribute.

    Attributes:
      attribute (str): name of the attribute.
      patterns (tuple[str]): regular expressions of Python, one must match the
          text as events have it. If there is none, the attribute must be set.
      is_start (bool): True if a pattern must match at the start of the text.
      is_end (bool): True if a pattern must match up to the end of the text.
      is_cased (bool): True if the case matters.
      is_negated (bool): True if the comparison is negated.
      value (int|str): number that the attribute must be, or text that it must contain,
          None if only the patterns decide.
    """

    attribute: str
    patterns: tuple = ()
    is_start: bool = False
    is_end: bool = False
    is_cased: bool = False
    is_negated: bool = False
    value: typing.Union[int, str, None] = None

    def GetPattern(self):
        """Retrieves the regular expression to search for.

        Returns:
          str: regular expression of Python, without the negation.
        """
        pattern = "|".join(self.patterns)
        if len(self.patterns) > 1 and (self.is_start or self.is_end):
            pattern = f"(?:{pattern:s})"
        start = "^" if self.is_start else ""
        end = "$" if self.is_end else ""
        return f"{start:s}{pattern:s}{end:s}"


@dataclasses.dataclass(frozen=True)
class Group:
    """Group of comparisons and groups.

    Attributes:
      operator (str): operator, "AND" or "OR".
      items (tuple[Comparison|Group]): what the operator connects.
    """

    operator: str
    items: tuple


def EscapeCharacters(token, flags=0, is_repeated=False):
    r"""Converts what matches one character of a text to match it in an event.

    Args:
      token (str): part of a regular expression of Python, such as \s, [^a] or \b.
      flags (Optional[int]): flags of the regular expression.
      is_repeated (Optional[bool]): True if any number of such characters follow each
          other.

    Returns:
      str: the same where it matches nothing that is escaped.
    """
    if len(token) == 1 and token not in "\\." and not token.isprintable():
        escape = re.sub(r"\\", r"\\\\", text.Escape(token.encode("utf-8")))
        return f"(?-i:{escape:s})"

    if token in _EDGES:
        return _EDGES[token]

    try:
        expression = re.compile(token, flags | re.ASCII)
    except re.error:
        # A part of another kind, such as a quantifier.
        return token

    matched = set(filter(expression.fullmatch, _ESCAPED_CHARACTERS))
    # What matches two unusual characters matches all of these.
    if expression.fullmatch("\x80") and expression.fullmatch("\u200b"):
        # This matches the characters of an escape sequence one by one.
        if is_repeated and len(matched) == len(_ESCAPED_CHARACTERS):
            if all(map(expression.fullmatch, rf"xu{_DIGITS:s}")):
                return token
        matched.update(map(chr, range(0x80, 0x100)))
        matched.update(_PRINTABLE_CHARACTERS)
        return f"(?:{_WriteEscape(matched, 'u[0-9a-f]{4}'):s}|{GUARD:s}{token:s})"

    if not matched:
        return token

    parts = [_WriteEscape(matched)]
    if expression.fullmatch("\\"):
        parts.append(f"{GUARD:s}{token:s}")
    elif any(map(expression.fullmatch, _PRINTABLE_CHARACTERS)):
        parts.append(token)
    return f"(?:{'|'.join(parts):s})" if len(parts) > 1 else parts[0]


def GetPatternOfText(value):
    """Retrieves a regular expression that matches a text.

    Args:
      value (str): text.

    Returns:
      str: regular expression of Python for the text as events have it.
    """
    return "".join(
        EscapeCharacters(
            rf"\{character:s}" if character in r"\.^$*+?{}[]|()" else character
        )
        for character in value
    )


def GroupCodes(codes):
    """Groups codes of two hexadecimal digits.

    Args:
      codes (set[str]): codes.

    Returns:
      list[tuple[str, str]]: first and second digits, as a regular expression has them
          in a set.
    """
    groups = {}
    for first in _DIGITS:
        seconds = "".join(digit for digit in _DIGITS if f"{first:s}{digit:s}" in codes)
        groups[seconds] = groups.get(seconds, "") + first
    return [
        (firsts.replace(_DIGITS, "0-9a-f"), seconds.replace(_DIGITS, "0-9a-f"))
        for seconds, firsts in groups.items()
        if seconds
    ]


def _WriteEscape(characters, *others):
    """Writes a regular expression of the escapes of characters.

    Args:
      characters (set[str]): characters that are escaped with two digits.
      others (list[str]): regular expressions of other escapes, without the backslash.

    Returns:
      str: regular expression of Python.
    """
    groups = GroupCodes({f"{ord(character):02x}" for character in characters})
    parts = [f"x[{firsts:s}][{seconds:s}]" for firsts, seconds in groups]
    return rf"(?-i:\\(?:{'|'.join([*parts, *others]):s}))"
