#!/usr/bin/env python3
"""Writes data/timesketch/tags.yaml, the rules of data/tag_atop.txt for Timesketch.

The tagger of Timesketch asks the index for events and then matches one attribute of
these with a regular expression of Python. The attribute whose regular expression the
index does not know, or else the first text attribute that a rule is about, is matched
that way, as psort does. What else the rule asks for is asked of the index.
"""

import os
import re
import sys

from plaso.filters import expression_parser
from plaso.filters import filters

PROJECT_PATH = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
sys.path.insert(0, PROJECT_PATH)

# pylint: disable=wrong-import-position
from scripts import attributes

SOURCE_PATH = os.path.join(PROJECT_PATH, "data", "tag_atop.txt")
PATH = os.path.join(PROJECT_PATH, "data", "timesketch", "tags.yaml")

_HEADER = """
# Tags of the events that atop recorded, the same as those of psort with tag_linux.txt.
#
# Made of data/tag_atop.txt by scripts/timesketch_tags.py.
"""

# In the order in which these are preferred for the regular expression.
_TEXT_ATTRIBUTES = (
    "command_line",
    "parent_command_line",
    "ancestors",
    "process_name",
    "parent_process_name",
)

_COMPARISONS = {
    filters.GreaterEqualOperator: ">=",
    filters.GreaterThanOperator: ">",
    filters.LessEqualOperator: "<=",
    filters.LessThanOperator: "<",
}


class Rule:
    """Tagging rule.

    Attributes:
      attribute (str): attribute that the regular expression is about, None if there is
          none.
      expressions (list[str]): regular expressions. One must match.
      query (str): query that must match.
    """

    def __init__(self, rule_filter):
        """Initializes a rule.

        Args:
          rule_filter (Filter): filter of the rule.

        Raises:
          ValueError: if the rule cannot be expressed.
        """
        super().__init__()
        conditions = list(self._Flatten(rule_filter))
        self.attribute = self._SelectAttribute(conditions)
        self.expressions = []

        texts = [condition for condition in conditions if self._IsExpression(condition)]
        if texts:
            self.expressions.append(self._GetExpression(texts))

        queries = [
            self._GetQuery(condition)
            for condition in conditions
            if condition not in texts
        ]
        if self.attribute:
            # Otherwise Timesketch tags the events that do not have it.
            queries.append(f"_exists_:{self.attribute:s}")
        self.query = " AND ".join(queries)

    def _Flatten(self, rule_filter):
        """Retrieves the conditions. All must match.

        Args:
          rule_filter (Filter): filter.

        Yields:
          Filter: condition.
        """
        if isinstance(rule_filter, filters.AndFilter):
            for argument in rule_filter.args:
                yield from self._Flatten(argument)
        else:
            yield rule_filter

    def _GetExpression(self, conditions):
        """Retrieves a regular expression.

        Args:
          conditions (list[Filter]): conditions about the same attribute.

        Returns:
          str: regular expression that matches where all conditions do.
        """
        expressions = []
        for condition in conditions:
            flags = ""
            expression = condition.right_operand
            if isinstance(condition, filters.Contains):
                expression = re.escape(expression)
            if not isinstance(condition, filters.Regexp) or isinstance(
                condition, filters.RegexpInsensitive
            ):
                flags = "i"
            if len(conditions) > 1 or self._IsNegated(condition):
                look = "!" if self._IsNegated(condition) else "="
                expressions.append(f"(?{look:s}.*?(?{flags:s}:{expression:s}))")
            else:
                expressions.append(f"(?{flags:s}:{expression:s})")

        if len(conditions) > 1:
            expressions.insert(0, r"\A")
        return "".join(expressions)

    def _GetKeywordExpression(self, condition):
        """Retrieves a regular expression for the index.

        Args:
          condition (Regexp): condition.

        Returns:
          str: regular expression, that is for the whole value.

        Raises:
          ValueError: if the index has no such regular expressions.
        """
        expression = condition.right_operand
        if isinstance(condition, filters.RegexpInsensitive) or re.search(
            r'\\(?!\[)|\(\?|[#@&<~"]', expression
        ):
            raise ValueError(f"Unsupported: {expression:s}")

        expression = (
            expression[1:] if expression.startswith("^") else f".*{expression:s}"
        )
        expression = (
            expression[:-1] if expression.endswith("$") else f"({expression:s}).*"
        )
        if re.search(r"(?<!\[)[\^$]", expression):
            raise ValueError(f"Unsupported: {expression:s}")
        return expression.replace("/", r"\/")

    def _GetQuery(self, condition):
        """Retrieves the query for a condition.

        A value that is empty or 0 matches no condition of psort, unless that is
        negated.

        Args:
          condition (Filter): condition.

        Returns:
          str: query.

        Raises:
          ValueError: if the condition cannot be expressed.
        """
        if isinstance(condition, (filters.AndFilter, filters.OrFilter)):
            operator = "AND" if isinstance(condition, filters.AndFilter) else "OR"
            queries = map(self._GetQuery, condition.args)
            return f"({f' {operator:s} '.join(queries):s})"

        name = condition.left_operand
        value = condition.right_operand
        if name == "data_type":
            query = self._GetDataTypeQuery(condition)
        elif isinstance(condition, filters.Regexp):
            if value == ".":
                query = f"_exists_:{name:s}"
            else:
                query = f"{name:s}.keyword:/{self._GetKeywordExpression(condition):s}/"
        elif isinstance(condition, filters.Contains):
            value = re.sub(r"([^\w])", r"\\\1", value)
            query = f"{name:s}.keyword:*{value:s}*"
        elif isinstance(condition, filters.EqualsOperator):
            if isinstance(value, str):
                query = f'{name:s}.keyword:"{value:s}"'
            else:
                query = f"{name:s}:{self._GetValue(name, value):s}"
        elif isinstance(condition, filters.NotEqualsOperator):
            query = f"(_exists_:{name:s} AND NOT {name:s}:(0 OR {value!s}))"
        elif type(condition) in _COMPARISONS and value >= 0:
            query = f"{name:s}:{_COMPARISONS[type(condition)]:s}{value!s}"
        else:
            raise ValueError(f"Unsupported: {name:s} {condition!r} {value!r}")

        return f"NOT {query:s}" if self._IsNegated(condition) else query

    def _GetDataTypeQuery(self, condition):
        """Retrieves the query for a condition about the data type.

        Args:
          condition (GenericBinaryOperator): condition.

        Returns:
          str: query.
        """
        data_types = []
        for event_data_class in attributes.GetEventDataClasses():
            if condition.Matches(None, event_data_class(), None, None):
                data_types.append(f'"{event_data_class.DATA_TYPE:s}"')

        data_types = " OR ".join(data_types)
        return f"data_type:({data_types:s})"

    def _GetValue(self, name, value):
        """Retrieves a value in a query.

        Args:
          name (str): name of the attribute.
          value (int): value.

        Returns:
          str: value.
        """
        for event_data_class in attributes.GetEventDataClasses():
            for attribute in attributes.GetAttributes(event_data_class):
                if (attribute.name, attribute.type) == (name, "bool"):
                    return "true" if value else "false"

        return f"{value:d}"

    def _IsExpression(self, condition):
        """Determines if a condition becomes part of the regular expression.

        Args:
          condition (Filter): condition.

        Returns:
          bool: True if it does.
        """
        return (
            isinstance(condition, (filters.Contains, filters.Regexp))
            and condition.left_operand == self.attribute
        )

    def _IsNegated(self, condition):
        """Determines if a condition is negated.

        Args:
          condition (GenericBinaryOperator): condition.

        Returns:
          bool: True if negated.
        """
        return not condition._bool_value  # pylint: disable=protected-access

    def _SelectAttribute(self, conditions):
        """Selects the attribute that the regular expression is about.

        Args:
          conditions (list[Filter]): conditions.

        Returns:
          str: name of the attribute, None if there is none.
        """
        positive_names = set()
        names = set()
        for condition in conditions:
            if isinstance(condition, (filters.Contains, filters.Regexp)):
                if not self._IsNegated(condition):
                    positive_names.add(condition.left_operand)
                # That there is a value can be asked of the index.
                if condition.right_operand != ".":
                    names.add(condition.left_operand)

        names &= positive_names
        for condition in conditions:
            if getattr(condition, "left_operand", None) in names:
                try:
                    self._GetQuery(condition)
                except ValueError:
                    return condition.left_operand

        return next((name for name in _TEXT_ATTRIBUTES if name in names), None)


def ReadRules(path):
    """Reads tagging rules.

    Args:
      path (str): path of the tagging file.

    Returns:
      dict[str, list[Rule]]: rules per label. What differs by nothing but the regular
          expression is one rule.
    """
    rules_per_label = {}
    with open(path, "r", encoding="utf-8") as file_object:
        for line in file_object:
            line = line.rstrip()
            text = line.lstrip()
            if not text or text.startswith("#"):
                continue
            if text == line:
                rules = rules_per_label.setdefault(line, [])
                continue

            parser = expression_parser.EventFilterExpressionParser()
            rule = Rule(parser.Parse(text).Compile())
            # A label comes first.
            # pylint: disable-next=possibly-used-before-assignment
            for other_rule in rules:
                if rule.expressions and (rule.query, rule.attribute) == (
                    other_rule.query,
                    other_rule.attribute,
                ):
                    other_rule.expressions.extend(rule.expressions)
                    break
            else:
                rules.append(rule)

    return rules_per_label


def Write(path, file_object):
    """Writes tagging rules for Timesketch.

    Args:
      path (str): path of the tagging file.
      file_object (file): text file that is written.
    """
    file_object.write(_HEADER)
    for label, rules in ReadRules(path).items():
        for index, rule in enumerate(rules):
            suffix = f"_{index + 1:d}" if index else ""
            query = rule.query.replace("'", "''")
            file_object.write(f"\natop_{label:s}{suffix:s}:\n")
            file_object.write(f"  query_string: '{query:s}'\n")
            if rule.expressions:
                expression = "|".join(rule.expressions).replace("'", "''")
                file_object.write(f"  re_attribute: '{rule.attribute:s}'\n")
                file_object.write(f"  regular_expression: '{expression:s}'\n")
                file_object.write("  re_flags: ['DOTALL']\n")
            file_object.write(f"  tags: ['{label:s}']\n")


def Main():
    """Writes data/timesketch/tags.yaml.

    Returns:
      int: exit code.
    """
    with open(PATH, "w", encoding="utf-8") as file_object:
        Write(SOURCE_PATH, file_object)
    return 0


if __name__ == "__main__":
    sys.exit(Main())
