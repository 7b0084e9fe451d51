"""Queries of OpenSearch, which Timesketch's tagger asks.

A query has regular expressions of Lucene. Those match a whole value, know neither
anchors nor look-around assertions, and mind the case. They know the intersection "&".
Lucene makes a deterministic automaton of each, and refuses what becomes too large.
"""

import functools
import re
import sys

from sigma import exceptions

from plaso_atop.sigma import patterns

# The longest that OpenSearch accepts by default is 1,000 characters.
_MAXIMUM_LENGTH = 900

# The longest part of a regular expression that is written twice.
_MAXIMUM_COPY_LENGTH = 250

# A repetition or an intersection in a regular expression of Lucene.
_REPEAT_RE = re.compile(r"(?<!\\)(?:\\\\)*[*+{&]")

_PRINTABLE_CHARACTERS = [chr(code) for code in range(0x20, 0x7F)]

# How patterns.EscapeCharacters writes the escapes of characters.
_ESCAPES = r"\(\?-i:(?P<{0:s}>\\\\[^()]*(?:\([^()]*\))?)\)"

_TOKEN_RE = re.compile(
    rf"\(\?:{_ESCAPES.format('guarded_escapes'):s}\|{re.escape(patterns.GUARD):s}"
    rf"(?P<guarded>{patterns.TOKEN:s})\)|{_ESCAPES.format('escapes'):s}|"
    r"(?P<group>\(\?:|\((?!\?))|(?P<end>[)|])|(?P<repeat>[*+?]|\{\d+(?:,\d*)?\})\??|"
    rf"(?P<characters>{patterns.TOKEN:s})",
    re.DOTALL,
)

# What follows a backslash that is not the start of an escape.
_NO_ESCAPE = (
    "(([^xu]|x[0-9a-f]?[^0-9a-f]|u[0-9a-f]{0,3}[^0-9a-f]).*|"
    "(x[0-9a-f]?|u[0-9a-f]{0,3})?)"
)

# What escapes are made of.
_ESCAPE_CHARACTERS = r"\xu0123456789abcdef"

_NO_BACKSLASH = r"[^\\]*"

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


def _ConvertCharacters(token, is_cased, has_backslash=True):
    """Converts what matches one character.

    Args:
      token (str): part of a regular expression of Python.
      is_cased (bool): True if the case matters.
      has_backslash (Optional[bool]): False if a backslash is left out.

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
        candidates.update(dict.fromkeys([character, *_GetCases(character)]))
    characters = sorted(
        character
        for character in candidates
        if bool(
            expression.fullmatch(character) and (has_backslash or character != "\\")
        )
        != is_negated
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


def _ConvertEscapes(escapes):
    """Converts what matches escapes of characters.

    Args:
      escapes (str): regular expression of Python.

    Returns:
      str: part of a regular expression of Lucene.
    """
    return escapes.replace("(?:", "(")


def _ConvertGuarded(match, part, repeat):
    """Converts what matches characters and their escapes.

    Args:
      match (re.Match): token.
      part (str): part of a regular expression of Lucene that matches the characters.
      repeat (str): how often they repeat.

    Returns:
      str: part of a regular expression of Lucene, with the repetition.
    """
    token, escapes = match["guarded"], match["guarded_escapes"]
    is_unlimited = repeat in ("*", "+") or repeat.endswith(",}")
    # Lucene's automaton becomes large where there are several ways to count.
    if not is_unlimited or not all(
        re.fullmatch(token, item) for item in _ESCAPE_CHARACTERS
    ):
        part = f"({_ConvertEscapes(escapes):s}|{part:s})"

    part = f"{part:s}{repeat:s}"
    codes = {
        code
        for code in (f"{number:02x}" for number in range(0x100))
        if not re.fullmatch(escapes, rf"\x{code:s}")
    }
    if repeat not in ("*", "+") or not codes or not re.fullmatch(token, "x"):
        return part

    # The characters of other escapes are not among these.
    groups = patterns.GroupCodes(codes)
    firsts = "".join(first for first, _ in groups)
    others = "|".join(
        rf"[{first:s}]([^\\{second:s}]{_NO_BACKSLASH:s})?" for first, second in groups
    )
    others = rf"[^\\x]{_NO_BACKSLASH:s}|x([^\\{firsts:s}]{_NO_BACKSLASH:s}|{others:s})?"
    return rf"({part:s}&{_NO_BACKSLASH:s}(\\({others:s})?)*)"


def _ConvertPattern(comparison, pattern):
    """Converts a regular expression.

    Args:
      comparison (Comparison): comparison with a regular expression.
      pattern (str): regular expression of Python, without alternatives outside of
          groups.

    Returns:
      tuple[str, str, str]: start, middle and end of a regular expression of Lucene.
    """
    is_cased = comparison.is_cased
    start = "" if comparison.is_start else ".*"
    end = "" if comparison.is_end else ".*"
    rest = pattern
    if rest.startswith("^"):
        start = ""
        rest = rest[1:]
    if rest.endswith(_END_OF_WORD):
        end = "( .*)?"
        rest = rest[: -len(_END_OF_WORD)]
    elif re.search(r"(?<!\\)(?:\\\\)*\$$", rest):
        end = ""
        rest = rest[:-1]

    flags = 0 if is_cased else re.IGNORECASE
    middle = repeat = ""
    depth = 0
    # True if what is behind a backslash can make it the start of an escape.
    is_open = end == ".*"
    for match in reversed(_Tokenize(rest)):
        if match["repeat"]:
            repeat = match["repeat"] + repeat
            continue

        depth += (match["end"] == ")") - bool(match["group"])
        token = match["guarded"] or match["characters"]
        part = match["end"] or "("
        if token:
            part = _ConvertCharacters(token, is_cased)
        elif match["escapes"]:
            part = f"({_ConvertEscapes(match['escapes']):s})"
        if not part:
            _Refuse(pattern)

        if not match["guarded"]:
            part += repeat
        elif repeat or depth or not is_open or len(middle) > _MAXIMUM_COPY_LENGTH:
            part = _ConvertGuarded(match, part, repeat)
        else:
            # There is no look-ahead assertion: what is behind is written twice.
            others = _ConvertCharacters(token, is_cased, has_backslash=False)
            escapes = _ConvertEscapes(match["guarded_escapes"])
            behind = f"{middle:s}{end:s}"
            part = (
                f"(({'|'.join(filter(None, [escapes, others])):s}){behind:s}|"
                rf"\\({behind:s}&{_NO_ESCAPE:s}))"
            )
            middle = end = ""

        if part in ("(", "|") and middle.startswith(("|", ")")):
            # How Lucene writes a text without characters.
            part = f"{part:s}()"
        middle = f"{part:s}{middle:s}"
        is_open = bool(repeat) or not match["escapes"]
        if token and not repeat:
            is_open = bool(re.search(token, "xu", flags))
        repeat = ""

    return start, middle, end


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


@functools.lru_cache(maxsize=None)
def _GetCasedCharacters():
    """Retrieves all characters that have an upper or a lower case.

    Returns:
      str: characters.
    """
    characters = map(chr, range(sys.maxunicode + 1))
    return "".join(item for item in characters if item.lower() != item.upper())


@functools.lru_cache(maxsize=1024)
def _GetCases(character):
    """Retrieves a character in upper and lower case, as event filters know these.

    Args:
      character (str): character.

    Returns:
      str: characters. Some letters have several in one case, as the Greek sigma.
    """
    if character.isascii():
        return character.swapcase()
    pattern = re.escape(character)
    return "".join(re.findall(pattern, _GetCasedCharacters(), re.IGNORECASE))


def _SplitPattern(pattern):
    """Splits a regular expression at the alternatives that are outside of groups.

    Args:
      pattern (str): regular expression of Python.

    Returns:
      list[str]: regular expressions of Python.
    """
    alternatives = [""]
    depth = 0
    for match in _TOKEN_RE.finditer(pattern):
        depth += bool(match["group"]) - (match["end"] == ")")
        if match["end"] == "|" and not depth:
            alternatives.append("")
        else:
            alternatives[-1] += match[0]
    return alternatives


def _Tokenize(pattern):
    """Splits a regular expression into tokens.

    Args:
      pattern (str): regular expression of Python.

    Returns:
      list[re.Match]: tokens, without the brackets of groups that have one only.
    """
    tokens = []
    for match in _TOKEN_RE.finditer(pattern):
        is_single = tokens and tokens[-1].lastgroup in (
            "characters",
            "escapes",
            "guarded",
        )
        if (
            match["end"] == ")"
            and is_single
            and len(tokens) > 1
            and tokens[-2]["group"]
        ):
            del tokens[-2]
        else:
            tokens.append(match)
    return tokens


def _WriteExpressions(comparison):
    """Writes the regular expressions of a comparison, one of which must match.

    Args:
      comparison (Comparison): comparison with regular expressions.

    Returns:
      list[str]: regular expressions of Lucene.
    """
    groups = {}
    for pattern in comparison.patterns:
        for alternative in _SplitPattern(pattern):
            start, middle, end = _ConvertPattern(comparison, alternative)
            if len(start + middle + end) > _MAXIMUM_LENGTH:
                _Refuse(pattern)
            # If several that repeat anything were one, its automaton would have a
            # state for each combination of how far these are.
            is_alone = _REPEAT_RE.search(middle)
            texts = groups.setdefault((start, end, is_alone and middle), [])
            if texts and len(start + texts[-1] + middle + end) < _MAXIMUM_LENGTH:
                texts[-1] += f"|{middle:s}"
            else:
                texts.append(middle)

    return [
        f"{start:s}({text:s}){end:s}" if "|" in text else f"{start:s}{text:s}{end:s}"
        for (start, end, _), texts in groups.items()
        for text in texts
    ]


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
        expressions = _WriteExpressions(condition)
        query = " OR ".join(f"{name:s}.keyword:/{item:s}/" for item in expressions)
        if len(expressions) > 1:
            query = f"({query:s})"

    return f"(NOT {query:s})" if condition.is_negated else query
