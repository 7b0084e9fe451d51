"""pySigma backend that writes Plaso's event filters.

A condition becomes comparisons, which patterns.py has, and these an event filter or, in
queries.py, a query of OpenSearch.
"""

import dataclasses
import re

from plaso.filters import expression_parser
from plaso.filters import filters
from plaso.lib import errors

from sigma import conditions
from sigma import exceptions
from sigma import types
from sigma.conversion import base

from plaso_atop import text
from plaso_atop.sigma import patterns
from plaso_atop.sigma import queries as sigma_queries

# Both Plaso and Python nest what belongs to one operator.
_MAXIMUM_GROUP_SIZE = 50

_OPERATORS_PER_FILTER = {
    filters.Contains: "contains",
    filters.EqualsOperator: "is",
    filters.Regexp: "regexp",
    filters.RegexpInsensitive: "iregexp",
}


def _Refuse(reason):
    """Refuses a rule.

    Args:
      reason (str): reason.

    Raises:
      SigmaFeatureNotSupportedByBackendError: always.
    """
    raise exceptions.SigmaFeatureNotSupportedByBackendError(reason)


class PlasoBackend(base.TextQueryBackend):
    """Backend that writes Plaso's event filters."""

    # Names and methods in lower case are those of pySigma.
    # pylint: disable=invalid-name,missing-type-doc,unused-argument

    name = "Plaso event filters"
    formats = {
        "default": "event filters",
        "tagging": "tagging file of psort",
        "timesketch": "tags.yaml of Timesketch",
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
        return "\n".join(
            "".join([comments, f"{label:s}\n", *(f"  {line:s}\n" for line in filters)])
            for label, comments, filters in self._GroupByRule(queries)
        )

    def finalize_query_timesketch(self, rule, query, index, state):
        """Writes a query of OpenSearch.

        Args:
          rule (SigmaRule): rule.
          query (str): event filter.
          index (int): number of the condition of the rule.
          state (ConversionState): state of the conversion.

        Returns:
          tuple[SigmaRule, str, ConversionState]: rule, query and state.
        """
        condition = state.processing_state["plaso_condition"]
        return rule, sigma_queries.WriteQuery(condition), state

    def finalize_output_timesketch(self, queries):
        """Writes tags for the tagger of Timesketch.

        Args:
          queries (list[tuple[SigmaRule, str, ConversionState]]): rules, queries and
              states.

        Returns:
          str: contents of the file.
        """
        blocks = []
        for label, comments, lines in self._GroupByRule(queries):
            query = " OR ".join(lines).replace("'", "''")
            blocks.append(
                f"{comments:s}{label:s}:\n"
                f"  query_string: '{query:s}'\n"
                f"  tags: ['{label:s}']\n"
            )
        return "\n".join(blocks)

    def _CanMerge(self, first, second, operator):
        """Determines if two conditions can be one comparison with more patterns.

        Args:
          first (Comparison|Group): condition.
          second (Comparison|Group): condition.
          operator (str): operator that connects both.

        Returns:
          bool: True if they can.
        """
        if isinstance(first, patterns.Group) or isinstance(second, patterns.Group):
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

        comparison = patterns.Comparison(attribute, is_negated=is_negated)

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

        tokens = re.findall(patterns.TOKEN, pattern, re.DOTALL)
        groups = "".join(token if len(token) == 1 else "." for token in tokens)
        if flags & re.MULTILINE or re.search(r"\(\?[a-zA-Z-]*m", groups):
            _Refuse("event filters have no regular expressions of several lines")
        # What they change is no more known when the tokens are converted.
        match = re.search(r"\(\?(?!:|-?i:|P?<)[^:)]*", groups)
        if match:
            _Refuse(f"event filters have no flags inside of a pattern: {match[0]:s}")
        if "[:" in pattern:
            _Refuse("event filters have no named sets of characters")

        pattern = "".join(
            patterns.EscapeCharacters(
                token, flags, is_repeated=next_token in ("*", "+")
            )
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

        expressions = []
        for part in parts:
            if part == any_text:
                expressions.append(".*")
            elif part == types.SpecialChars.WILDCARD_SINGLE:
                expressions.append(patterns.EscapeCharacters(".", re.DOTALL))
            elif isinstance(part, str):
                expressions.append(patterns.GetPatternOfText(part))
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
            patterns=("".join(expressions),),
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
            if isinstance(item, patterns.Group) and item.operator == operator:
                members.extend(item.items)
            else:
                members.append(item)

        # One expression with many alternatives is faster than many comparisons.
        merged = []
        for member in members:
            for index, other in enumerate(merged):
                if self._CanMerge(other, member, operator):
                    expressions = dict.fromkeys(other.patterns + member.patterns)
                    merged[index] = dataclasses.replace(
                        other, patterns=tuple(expressions), value=None
                    )
                    break
            else:
                merged.append(member)

        return (
            merged[0] if len(merged) == 1 else patterns.Group(operator, tuple(merged))
        )

    def _Write(self, condition):
        """Writes an event filter.

        Args:
          condition (Comparison|Group): condition.

        Returns:
          str: event filter that Plaso reads as it is meant.
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

    def _DescribeRule(self, rule):
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
        lines = [str(rule.title), "; ".join(filter(None, details))]
        return [
            text.Escape(line.encode("utf-8", "surrogatepass")) for line in lines if line
        ]

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
        if isinstance(condition, patterns.Group):
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

    def _GroupByRule(self, queries):
        """Groups the results of conditions by rule.

        Args:
          queries (list[tuple[SigmaRule, str, ConversionState]]): rules, results and
              states.

        Yields:
          tuple[str, str, list[str]]: label of the rule, comments and the results of
              its conditions.
        """
        results = {}
        for rule, query, state in queries:
            approximations = state.processing_state.get("approximations", ())
            results.setdefault(id(rule), (rule, approximations, []))[2].append(query)

        labels = set()
        for rule, approximations, lines in results.values():
            name = rule.source.path.stem if rule.source else rule.title
            first_label = re.sub(r"[^A-Za-z0-9_]", "_", f"sigma_{name:s}")
            # psort keeps only the last of two blocks with one label.
            label, number = first_label, 1
            while label in labels:
                number += 1
                label = f"{first_label:s}_{number:d}"
            labels.add(label)

            comments = self._DescribeRule(rule)
            comments.extend(f"Approximate: {reason:s}." for reason in approximations)
            yield label, "".join(f"# {line:s}\n" for line in comments), lines

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
