"""Comparisons of attributes with regular expressions.

Sigma compares the text that a program was given. Event data has it as it is shown: what
cannot be printed is escaped by plaso_atop.text. Patterns are changed accordingly.
"""

import dataclasses
import re
import typing

from plaso_atop import text

# How text.Escape writes one character. A backslash that would look like the start of it
# is escaped itself, so that nothing else in an event does.
_ESCAPE = r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4})"

# Characters that text.Escape writes as \xNN. The backslash is one only at times.
_ESCAPED_CHARACTERS = [chr(code) for code in range(0x20)] + ["\\", "\x7f"]
_PRINTABLE_CHARACTERS = [chr(code) for code in range(0x20, 0x7F) if code != 0x5C]

# Tokens of a regular expression: an escape sequence, a set or one character.
TOKEN = r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)|\[\^?\]?(?:\\.|[^\]\\])*\]|."


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
      token (str): part of a regular expression of Python, such as \s or [^a].
      flags (Optional[int]): flags of the regular expression.
      is_repeated (Optional[bool]): True if any number of such characters follow each
          other.

    Returns:
      str: the same where it matches nothing that is escaped.
    """
    if len(token) == 1 and token not in "\\." and not token.isprintable():
        return re.sub(r"\\", r"\\\\", text.Escape(token.encode("utf-8")))

    try:
        expression = re.compile(token, flags | re.ASCII)
    except re.error:
        # A part of another kind, such as a quantifier.
        return token

    codes = {
        is_match: "|".join(
            f"{ord(character):02x}"
            for character in _ESCAPED_CHARACTERS
            if bool(expression.fullmatch(character)) == is_match
        )
        for is_match in (False, True)
    }
    # What matches two unusual characters matches all of these.
    if expression.fullmatch("\x80") and expression.fullmatch("\u200b"):
        # This matches the characters of an escape sequence one by one.
        if is_repeated and all(map(expression.fullmatch, _ESCAPED_CHARACTERS)):
            if all(map(expression.fullmatch, r"\xu0123456789abcdef")):
                return token
        look = rf"(?!\\x(?:{codes[False]:s}))" if codes[False] else ""
        return f"(?:{look:s}{_ESCAPE:s}|(?!{_ESCAPE:s}){token:s})"

    if not codes[True]:
        return token

    parts = [rf"\\x(?:{codes[True]:s})"]
    if expression.fullmatch("\\"):
        parts.append(f"(?!{_ESCAPE:s}){token:s}")
    elif any(map(expression.fullmatch, _PRINTABLE_CHARACTERS)):
        parts.append(token)
    return f"(?:{'|'.join(parts):s})"


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


def RemoveGuards(pattern):
    """Removes what keeps a regular expression from matching a part of an escape.

    Args:
      pattern (str): regular expression of Python.

    Returns:
      str: regular expression without look-around assertions of this module.
    """
    pattern = pattern.replace(f"(?!{_ESCAPE:s})", "")
    return re.sub(r"\(\?!\\\\x\(\?:[0-9a-f|]+\)\)", "", pattern)
