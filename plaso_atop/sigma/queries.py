"""Queries of OpenSearch, which Timesketch's tagger asks.

A query has regular expressions of Lucene. Those match a whole value, know neither
anchors nor look-around assertions, and mind the case.
"""

import re

from sigma import exceptions

from plaso_atop.sigma import patterns

# The longest that OpenSearch accepts by default is 1,000 characters.
_MAXIMUM_LENGTH = 900

_PRINTABLE_CHARACTERS = [chr(code) for code in range(0x20, 0x7F)]

_TOKEN_RE = re.compile(
    r"(?P<group>\(\?:|\((?!\?))|(?P<end>[)|])|(?P<repeat>[*+?]|\{\d+(?:,\d*)?\})\??|"
    rf"(?P<characters>{patterns.TOKEN:s})",
    re.DOTALL,
)

# What the pipeline for atop puts behind the first word of a command line.
_END_OF_WORD = "(?: |$)"


def _Refuse(pattern):
    """Refuses a rule.

    Args:
      pattern (str): regular expression.

    Raises:
      SigmaFeatureNotSupportedByBackendError: always.
    """
    raise exceptions.SigmaFeatureNotSupportedByBackendError(
        f"OpenSearch has no such regular expression: {pattern:s}"
    )


def _ConvertCharacters(token, is_cased):
    """Converts what matches one character.

    Args:
      token (str): part of a regular expression of Python.
      is_cased (bool): True if the case matters.

    Returns:
      str: part of a regular expression of Lucene, None if there is none.
    """
    if token in ("^", "$"):
        return None
    try:
        expression = re.compile(token, 0 if is_cased else re.IGNORECASE)
    except re.error:
        return None

    # What matches an unusual character is a set of what is left out.
    is_negated = bool(expression.fullmatch("\u200b"))
    candidates = dict.fromkeys(_PRINTABLE_CHARACTERS)
    for character in token:
        candidates.update(dict.fromkeys([character, *character.swapcase()]))
    characters = sorted(
        character
        for character in candidates
        if bool(expression.fullmatch(character)) != is_negated
    )
    if not characters:
        return "." if is_negated else None

    parts = []
    while characters:
        first = last = characters.pop(0)
        while characters and ord(characters[0]) == ord(last) + 1:
            last = characters.pop(0)
        parts.append(_Escape(first))
        if last != first:
            parts.append(f"-{_Escape(last):s}")

    if len(parts) == 1 and not is_negated:
        return parts[0]
    return f"[{'^' if is_negated else '':s}{''.join(parts):s}]"


def _ConvertPattern(comparison, pattern):
    """Converts a regular expression.

    Args:
      comparison (Comparison): comparison with a regular expression.
      pattern (str): regular expression of Python.

    Returns:
      str: regular expression of Lucene.
    """
    is_start, is_end = comparison.is_start, comparison.is_end
    # An index has no text but escaped one. What is left out here only matters for a
    # backslash.
    rest = patterns.RemoveGuards(pattern)
    suffix = ".*"
    if not _HasAlternatives(rest):
        if rest.startswith("^"):
            is_start = True
            rest = rest[1:]
        if rest.endswith(_END_OF_WORD):
            rest = rest[: -len(_END_OF_WORD)]
            suffix = "( .*)?"
        elif re.search(r"(?<!\\)(?:\\\\)*\$$", rest):
            is_end = True
            rest = rest[:-1]

    parts = []
    position = 0
    while position < len(rest):
        match = _TOKEN_RE.match(rest, position)
        if not match:
            _Refuse(pattern)
        position = match.end()
        part = match["end"] or match["repeat"]
        if match["group"]:
            part = "("
        elif match["characters"]:
            part = _ConvertCharacters(match["characters"], comparison.is_cased)
        if not part:
            _Refuse(pattern)
        parts.append(part)

    expression = "".join(parts)
    if "|" in rest:
        expression = f"({expression:s})"
    return f"{'' if is_start else '.*':s}{expression:s}{'' if is_end else suffix:s}"


def _Escape(character):
    """Escapes a character in a regular expression.

    Args:
      character (str): character.

    Returns:
      str: character, with a backslash where it may have a meaning.
    """
    if character.isalnum() or character == " " or not character.isascii():
        return character
    return f"\\{character:s}"


def _HasAlternatives(pattern):
    """Determines if a regular expression has alternatives, to which anchors belong.

    Args:
      pattern (str): regular expression of Python.

    Returns:
      bool: True if there are some outside of groups.
    """
    depth = 0
    for match in _TOKEN_RE.finditer(pattern):
        depth += bool(match["group"]) - (match["end"] == ")")
        if match["end"] == "|" and not depth:
            return True
    return False


def WriteQuery(condition):
    """Writes a query.

    Args:
      condition (Comparison|Group): condition.

    Returns:
      str: query.
    """
    if isinstance(condition, patterns.Group):
        texts = map(WriteQuery, condition.items)
        return f"({f' {condition.operator:s} '.join(texts):s})"

    name = condition.attribute
    if isinstance(condition.value, int):
        query = f"{name:s}:{condition.value:d}"
    elif not condition.patterns:
        query = f"_exists_:{name:s}"
    elif name == "data_type":
        query = f'{name:s}:"{condition.value:s}"'
    else:
        expressions = []
        for pattern in condition.patterns:
            expression = _ConvertPattern(condition, pattern)
            if len(expression) > _MAXIMUM_LENGTH:
                _Refuse(pattern)
            if expressions and (
                len(expressions[-1]) + len(expression) < _MAXIMUM_LENGTH
            ):
                expressions[-1] += f"|{expression:s}"
            else:
                expressions.append(expression)
        query = " OR ".join(f"{name:s}.keyword:/{item:s}/" for item in expressions)
        if len(expressions) > 1:
            query = f"({query:s})"

    return f"(NOT {query:s})" if condition.is_negated else query
