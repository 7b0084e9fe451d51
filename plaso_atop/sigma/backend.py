"""pySigma backend that writes Plaso's event filters.

Sigma compares the text that a program was given. Event data has it as it is shown: what
cannot be printed is escaped by plaso_atop.text. Patterns are changed accordingly.
"""

import dataclasses
import re
import typing

from plaso.filters import expression_parser
from plaso.filters import filters
from plaso.lib import errors

from sigma import conditions
from sigma import exceptions
from sigma import types
from sigma.conversion import base

from plaso_atop import text

# How text.Escape writes one character. A backslash that would look like the start of it
# is escaped itself, so that nothing else in an event does.
_ESCAPE = r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4})"

# Characters that text.Escape writes as \xNN. The backslash is one only at times.
_ESCAPED_CHARACTERS = [chr(code) for code in range(0x20)] + ["\\", "\x7f"]
_PRINTABLE_CHARACTERS = [chr(code) for code in range(0x20, 0x7F) if code != 0x5C]

# Tokens of a regular expression: an escape sequence, a set or one character.
_TOKEN_RE = re.compile(
    r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL
)

# Both Plaso and Python nest what belongs to one operator.
_MAXIMUM_GROUP_SIZE = 50

_OPERATORS_PER_FILTER = {
    filters.Contains: "contains",
    filters.EqualsOperator: "is",
    filters.Regexp: "regexp",
    filters.RegexpInsensitive: "iregexp",
}


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Comparison of an attribute.

    Attributes:
      attribute (str): name of the attribute.
      patterns (tuple[str]): regular expressions of Python, one of which must match the
          text as events have it. If there is none, the attribute must be set.
      is_start (bool): True if a pattern must match at the start of the text.
      is_end (bool): True if a pattern must match up to the end of the text.
      is_cased (bool): True if the case matters.
      is_negated (bool): True if the comparison is negated.
      value (int|str): number that the attribute must be, or text that it must contain,
          None if only the patterns tell.
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


def _Refuse(reason):
    """Refuses a rule.

    Args:
      reason (str): reason.

    Raises:
      SigmaFeatureNotSupportedByBackendError: always.
    """
    raise exceptions.SigmaFeatureNotSupportedByBackendError(reason)


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


class PlasoBackend(base.TextQueryBackend):
    """Backend that writes Plaso's event filters."""

    # Names and methods in lower case are those of pySigma.
    # pylint: disable=invalid-name,missing-type-doc,unused-argument

    name = "Plaso event filters"
    formats = {
        "default": "event filters",
        "tagging": "tagging file of psort",
    }
    requires_pipeline = True

    def convert_condition(self, cond, state):
        """Converts a condition.

        Args:
          cond (ConditionItem): condition.
          state (ConversionState): state of the conversion.

        Returns:
          Comparison|Group: converted condition.
        """
        return self._Convert(cond, False)

    def finish_query(self, rule, query, state):
        """Writes the event filter of a converted condition.

        Args:
          rule (SigmaRule): rule.
          query (Comparison|Group): converted condition.
          state (ConversionState): state of the conversion.

        Returns:
          str: event filter.
        """
        state.processing_state["plaso_condition"] = query
        return self._Write(query)

    def finalize_query_tagging(self, rule, query, index, state):
        """Keeps what a tagging rule needs.

        Args:
          rule (SigmaRule): rule.
          query (str): event filter.
          index (int): number of the condition of the rule.
          state (ConversionState): state of the conversion.

        Returns:
          tuple[SigmaRule, str, ConversionState]: rule, event filter and state.
        """
        return rule, query, state

    def finalize_output_tagging(self, queries):
        """Writes a tagging file.

        Args:
          queries (list[tuple[SigmaRule, str, ConversionState]]): rules, event filters
              and states.

        Returns:
          str: contents of the file.
        """
        blocks = []
        for label, rule, conditions_of_rule in self.GroupByLabel(queries):
            approximations = conditions_of_rule[0][1].processing_state.get(
                "approximations", ()
            )
            comments = self.DescribeRule(rule) + [
                f"Approximate: {approximation:s}." for approximation in approximations
            ]
            lines = [f"# {comment:s}" for comment in comments]
            lines.append(label)
            lines.extend(f"  {query:s}" for query, _ in conditions_of_rule)
            blocks.append("".join(f"{line:s}\n" for line in lines))

        return "\n".join(blocks)

    def DescribeRule(self, rule):
        """Describes a rule, in text that is safe to show.

        Args:
          rule (SigmaRule): rule.

        Returns:
          list[str]: lines.
        """
        techniques = [
            tag.name.upper()
            for tag in rule.tags
            if tag.namespace == "attack" and re.match(r"t[0-9]", tag.name)
        ]
        details = [
            rule.level and f"level {rule.level.name.lower():s}",
            ", ".join(techniques),
            rule.id and f"id {rule.id!s}",
            rule.author and f"author {rule.author!s}",
        ]
        return [
            text.Escape(line.encode("utf-8", "surrogatepass"))
            for line in (str(rule.title), "; ".join(filter(None, details)))
            if line
        ]

    def GroupByLabel(self, queries):
        """Groups the conditions of rules, with a label for each rule.

        Args:
          queries (list[tuple[SigmaRule, object, ConversionState]]): rules and results.

        Yields:
          tuple[str, SigmaRule, list[tuple[object, ConversionState]]]: label, rule and
              the results of its conditions.
        """
        rules = {}
        for rule, query, state in queries:
            rules.setdefault(id(rule), (rule, []))[1].append((query, state))

        labels = set()
        for rule, results in rules.values():
            name = str(rule.title)
            if rule.source:
                name = rule.source.path.stem
            label = re.sub(r"[^A-Za-z0-9_]", "_", f"sigma_{name:s}")
            # psort keeps only the last of two blocks with one label.
            number = 1
            unique_label = label
            while unique_label in labels:
                number += 1
                unique_label = f"{label:s}_{number:d}"
            labels.add(unique_label)
            yield unique_label, rule, results

    def _CanMerge(self, first, second, operator):
        """Determines if two conditions can be one comparison with more patterns.

        Args:
          first (Comparison|Group): condition.
          second (Comparison|Group): condition.
          operator (str): operator that connects both.

        Returns:
          bool: True if they can.
        """
        if isinstance(first, Group) or isinstance(second, Group):
            return False
        return (
            first.is_negated == (operator == "AND")
            and bool(first.patterns and second.patterns)
            and dataclasses.replace(first, patterns=(), value=None)
            == dataclasses.replace(second, patterns=(), value=None)
        )

    def _Convert(self, condition, is_negated):
        """Converts a condition, with the negation moved to the comparisons.

        Args:
          condition (ConditionItem): condition.
          is_negated (bool): True if the condition is negated.

        Returns:
          Comparison|Group: converted condition.
        """
        if isinstance(condition, conditions.ConditionNOT):
            return self._Convert(condition.args[0], not is_negated)

        if isinstance(condition, (conditions.ConditionAND, conditions.ConditionOR)):
            is_or = isinstance(condition, conditions.ConditionOR)
            items = [self._Convert(item, is_negated) for item in condition.args]
            return self._Group(is_or, is_negated, items)

        if not isinstance(condition, conditions.ConditionFieldEqualsValueExpression):
            _Refuse("a value without a field needs a pipeline that names one")
        return self._ConvertValue(condition.field, condition.value, is_negated)

    def _ConvertValue(self, attribute, value, is_negated):
        """Converts the comparison of an attribute with a value.

        Args:
          attribute (str): name of the attribute.
          value (SigmaType): value.
          is_negated (bool): True if the comparison is negated.

        Returns:
          Comparison|Group: converted condition.
        """
        if isinstance(value, types.SigmaExpansion):
            items = [
                self._ConvertValue(attribute, item, is_negated) for item in value.values
            ]
            return self._Group(True, is_negated, items)

        comparison = Comparison(attribute, is_negated=is_negated)

        if isinstance(value, types.SigmaNull):
            return dataclasses.replace(comparison, is_negated=not is_negated)

        if isinstance(value, types.SigmaExists):
            return dataclasses.replace(
                comparison, is_negated=is_negated == value.exists
            )

        if isinstance(value, types.SigmaNumber):
            if not isinstance(value.number, int) or value.number <= 0:
                _Refuse(f"event filters cannot ask for the number {value.number!s}")
            return dataclasses.replace(comparison, value=value.number)

        if isinstance(value, types.SigmaString):
            return self._ConvertText(comparison, value)

        if isinstance(value, types.SigmaRegularExpression):
            return self._ConvertRegularExpression(comparison, value)

        kind = type(value).__name__.replace("Sigma", "")
        return _Refuse(f"event filters cannot compare {attribute:s} with {kind:s}")

    def _ConvertRegularExpression(self, comparison, value):
        """Converts the comparison of an attribute with a regular expression.

        Args:
          comparison (Comparison): comparison without what to compare with.
          value (SigmaRegularExpression): regular expression.

        Returns:
          Comparison: converted comparison.
        """
        pattern = str(value.regexp)
        flags = 0
        for flag in value.flags:
            flags |= value.sigma_to_python_flags[flag]

        match = re.match(r"\(\?([is]+)\)", pattern)
        if match:
            pattern = pattern[match.end() :]
            flags |= re.IGNORECASE if "i" in match[1] else 0
            flags |= re.DOTALL if "s" in match[1] else 0

        if flags & re.MULTILINE or re.search(r"\(\?[a-z-]*[mx]", pattern):
            _Refuse("event filters have no regular expressions of several lines")
        if "[:" in pattern:
            _Refuse("event filters have no named sets of characters")

        tokens = _TOKEN_RE.findall(pattern)
        pattern = "".join(
            EscapeCharacters(token, flags, is_repeated=next_token in ("*", "+"))
            for token, next_token in zip(tokens, tokens[1:] + [""])
        )
        return dataclasses.replace(
            comparison, patterns=(pattern,), is_cased=not flags & re.IGNORECASE
        )

    def _ConvertText(self, comparison, value):
        """Converts the comparison of an attribute with a text with wildcards.

        Args:
          comparison (Comparison): comparison without what to compare with.
          value (SigmaString): text.

        Returns:
          Comparison: converted comparison.
        """
        any_text = types.SpecialChars.WILDCARD_MULTI
        parts = list(value.s)
        # What is empty is not set.
        if not parts:
            return dataclasses.replace(comparison, is_negated=not comparison.is_negated)

        is_start = parts[0] != any_text
        is_end = parts[-1] != any_text
        while parts and parts[0] == any_text:
            parts.pop(0)
        while parts and parts[-1] == any_text:
            parts.pop()
        if not parts:
            return comparison

        patterns = []
        for part in parts:
            if part == any_text:
                patterns.append(".*")
            elif part == types.SpecialChars.WILDCARD_SINGLE:
                patterns.append(EscapeCharacters(".", re.DOTALL))
            elif isinstance(part, str):
                patterns.append(GetPatternOfText(part))
            else:
                _Refuse(f"the placeholder {part!s} has no value")

        is_cased = isinstance(value, types.SigmaCasedString)
        # What has no character that event filters or events treat specially.
        is_simple = (
            len(parts) == 1
            and isinstance(parts[0], str)
            and re.fullmatch(r"[ -\[\]-~]+", parts[0])
        )
        is_equal = is_start and is_end and is_cased
        is_contained = not is_start and not is_end and not is_cased
        return dataclasses.replace(
            comparison,
            patterns=("".join(patterns),),
            is_start=is_start,
            is_end=is_end,
            is_cased=is_cased,
            value=parts[0] if is_simple and (is_equal or is_contained) else None,
        )

    def _Group(self, is_or, is_negated, items):
        """Groups converted conditions.

        Args:
          is_or (bool): True if one of the conditions must match, False if all must.
          is_negated (bool): True if the group is negated, as its items already are.
          items (list[Comparison|Group]): converted conditions.

        Returns:
          Comparison|Group: converted condition.
        """
        operator = "AND" if is_or == is_negated else "OR"
        members = []
        for item in items:
            if isinstance(item, Group) and item.operator == operator:
                members.extend(item.items)
            else:
                members.append(item)

        # One expression with many alternatives is faster than many comparisons.
        merged = []
        for member in members:
            for index, other in enumerate(merged):
                if self._CanMerge(other, member, operator):
                    patterns = dict.fromkeys(other.patterns + member.patterns)
                    merged[index] = dataclasses.replace(
                        other, patterns=tuple(patterns), value=None
                    )
                    break
            else:
                merged.append(member)

        return merged[0] if len(merged) == 1 else Group(operator, tuple(merged))

    def _Write(self, condition):
        """Writes an event filter.

        Args:
          condition (Comparison|Group): condition.

        Returns:
          str: event filter, of which is known that Plaso reads it as it is meant.
        """
        expression = self._GetExpression(condition)
        query = self._WriteExpression(expression)

        try:
            parser = expression_parser.EventFilterExpressionParser()
            compiled_filter = parser.Parse(query).Compile()
            result = self._ReadFilter(compiled_filter)
        # Of a malformed regular expression Plaso raises a ValueError.
        except (errors.ParseError, ValueError) as exception:
            _Refuse(f"Plaso does not compile the event filter: {exception!s}")

        if result != expression:
            _Refuse("Plaso compiles the event filter to something else")
        return query

    def _GetExpression(self, condition):
        """Retrieves the expression of the event filter language for a condition.

        In that language an attribute that is not set, or empty, matches nothing, so
        that the negation of what it is compared with matches. There is no negation of
        a regular expression.

        Args:
          condition (Comparison|Group): condition.

        Returns:
          tuple[str, tuple|object, ...]: operator and expressions, or an operator,
              attribute, value and whether the comparison is negated.
        """
        if isinstance(condition, Group):
            return self._MergeExpressions(
                condition.operator, map(self._GetExpression, condition.items)
            )

        attribute, is_negated = condition.attribute, condition.is_negated
        if isinstance(condition.value, int):
            return "is", attribute, condition.value, is_negated
        if not condition.patterns:
            return "contains", attribute, "", is_negated
        if condition.value:
            operator = "is" if condition.is_cased else "contains"
            return operator, attribute, condition.value, is_negated

        operator = "regexp" if condition.is_cased else "iregexp"
        pattern = condition.GetPattern()
        if not is_negated:
            return operator, attribute, pattern, False

        if condition.is_start:
            pattern = f"^(?!{pattern[1:]:s})"
        else:
            pattern = f"^(?!.*(?:{pattern:s}))"
        is_not_set = ("contains", attribute, "", True)
        return self._MergeExpressions(
            "OR", [is_not_set, (operator, attribute, pattern, False)]
        )

    def _MergeExpressions(self, operator, expressions):
        """Merges expressions, without groups in a group of the same operator.

        Args:
          operator (str): operator.
          expressions (list[tuple]): expressions.

        Returns:
          tuple[str, tuple]: operator and expressions.
        """
        items = []
        for expression in expressions:
            if expression[0] == operator:
                items.extend(expression[1])
            else:
                items.append(expression)
        items = tuple(dict.fromkeys(items))
        return (operator, items) if len(items) > 1 else items[0]

    def _ReadFilter(self, compiled_filter):
        """Reads a filter that Plaso compiled.

        Args:
          compiled_filter (Filter): filter.

        Returns:
          tuple[str, tuple|object, ...]: expression, see _GetExpression.
        """
        if isinstance(compiled_filter, (filters.AndFilter, filters.OrFilter)):
            operator = "AND" if isinstance(compiled_filter, filters.AndFilter) else "OR"
            return self._MergeExpressions(
                operator, map(self._ReadFilter, compiled_filter.args)
            )

        operator = _OPERATORS_PER_FILTER.get(type(compiled_filter))
        # pylint: disable=protected-access
        return (
            operator,
            compiled_filter.left_operand,
            compiled_filter.right_operand,
            not compiled_filter._bool_value,
        )

    def _WriteExpression(self, expression):
        """Writes an expression of the event filter language.

        Args:
          expression (tuple[str, tuple|object, ...]): expression, see _GetExpression.

        Returns:
          str: text.
        """
        if expression[0] in ("AND", "OR"):
            operator, items = expression
            # Plaso nests the operands of one operator, as deep as there are operands.
            while len(items) > _MAXIMUM_GROUP_SIZE:
                items = [
                    (operator, items[index : index + _MAXIMUM_GROUP_SIZE])
                    for index in range(0, len(items), _MAXIMUM_GROUP_SIZE)
                ]
            texts = map(self._WriteExpression, items)
            # Without brackets Plaso reads "a OR b AND (c)" as "(a OR b) AND (c)".
            return f"({f' {operator:s} '.join(texts):s})"

        operator, attribute, value, is_negated = expression
        if isinstance(value, str):
            value = re.sub(r'(["\\])', r"\\\1", value)
            value = f'"{value:s}"'
        negation = "not " if is_negated else ""
        return f"{attribute:s} {negation:s}{operator:s} {value!s}"
