"""pySigma pipeline that maps process creation on Linux to atop's processes.

The kernel keeps the first 15 bytes of a program's name, atop the first 255 bytes of the
command line. atop does not record the path of the executable.
"""

import dataclasses
import re

from sigma import conditions
from sigma import exceptions
from sigma import rule as sigma_rule
from sigma import types
from sigma.processing import conditions as processing_conditions
from sigma.processing import pipeline
from sigma.processing import transformations
from sigma.processing.transformations import base

_PREFIXES = {"Image": "", "ParentImage": "parent_"}

_TEXT_ATTRIBUTES = {
    "CommandLine": "command_line",
    "ParentCommandLine": "parent_command_line",
    "User": "username",
}

_NUMBER_ATTRIBUTES = {"ParentProcessId": "ppid", "ProcessId": "pid"}

_MAXIMUM_NAME_SIZE = 15

# Reasons why a rule is only nearly the same.
_COMMAND_LINE_IS_CUT = "command lines are cut to 255 bytes, their end may be missing"
_DIRECTORIES = "directories are those of the command line up to its first blank"
_NAME_IS_CUT = "names of programs are cut to 15 bytes, their end may be missing"

_ANY_TEXT = types.SpecialChars.WILDCARD_MULTI

# A change of a process that shows another command line is the start of a program, which
# was seen between the fork and the exec.
_EVENTS = [
    {"data_type|cased": "linux:atop:process"},
    {
        "data_type|cased": "linux:atop:process_change",
        "previous_command_line|exists": True,
    },
]


@dataclasses.dataclass
class ProcessTransformation(base.DetectionItemTransformation):
    """Maps the fields of Sigma to attributes of atop's processes.

    What is only nearly the same is kept in the state of the pipeline as
    "approximations", a list of reasons.
    """

    # Names and methods in lower case are those of pySigma.
    # pylint: disable=invalid-name

    def apply(self, rule):
        """Maps the fields of a rule.

        Args:
          rule (SigmaRule|SigmaCorrelationRule): rule.
        """
        self._pipeline.state["approximations"] = []
        super().apply(rule)

    def apply_detection_item(self, detection_item):
        """Maps a field.

        Args:
          detection_item (SigmaDetectionItem): field and values.

        Returns:
          SigmaDetection: what the attributes are compared with.

        Raises:
          SigmaTransformationError: if atop does not record the field.
        """
        return self._CreateDetection(
            detection_item,
            [
                self._GetComparisons(detection_item.field, value)
                for value in detection_item.value or [types.SigmaNull()]
            ],
        )

    def _AddApproximation(self, reason):
        """Adds the reason why a rule is only nearly the same.

        Args:
          reason (str): reason.
        """
        approximations = self._pipeline.state["approximations"]
        if reason not in approximations:
            approximations.append(reason)

    def _CreateDetection(self, detection_item, alternatives):
        """Creates what a field and its values are replaced with.

        Args:
          detection_item (SigmaDetectionItem): field and values.
          alternatives (list[list[tuple[str, SigmaType]]]): attributes and values per
              value of the field. One must match.

        Returns:
          SigmaDetection: detection.
        """
        linking = [detection_item.value_linking, conditions.ConditionOR]
        if detection_item.negated:
            linking = [
                (
                    conditions.ConditionAND
                    if item is conditions.ConditionOR
                    else conditions.ConditionOR
                )
                for item in linking
            ]

        return sigma_rule.SigmaDetection(
            [
                sigma_rule.SigmaDetection(
                    [
                        dataclasses.replace(
                            detection_item,
                            field=attribute,
                            value=[value],
                            auto_modifiers=False,
                        )
                        for attribute, value in comparisons
                    ],
                    item_linking=linking[1],
                )
                for comparisons in alternatives
            ],
            item_linking=linking[0],
        )

    def _CutName(self, characters):
        """Cuts the name of a program as the kernel does.

        Args:
          characters (list[str|SpecialChars]): characters and wildcards.

        Returns:
          list[str|SpecialChars]: characters and wildcards.
        """
        size = 0
        for index, character in enumerate(characters):
            if character == _ANY_TEXT:
                if any(isinstance(item, str) for item in characters[index:]):
                    self._AddApproximation(_NAME_IS_CUT)
                break

            size += len(character.encode("utf-8")) if isinstance(character, str) else 1
            if size > _MAXIMUM_NAME_SIZE:
                self._AddApproximation(_NAME_IS_CUT)
                # Of a character of several bytes some can be left.
                is_whole = size - _MAXIMUM_NAME_SIZE == 1
                return characters[:index] + ([] if is_whole else [_ANY_TEXT])

        return characters

    def _GetComparisons(self, field, value):
        """Determines what attributes are compared with.

        Args:
          field (str): field, None for a value that is searched for in all of them.
          value (SigmaType): value.

        Returns:
          list[tuple[str, SigmaType]]: attributes and values. One must match.

        Raises:
          SigmaTransformationError: if atop does not record the field.
        """
        if isinstance(value, types.SigmaExpansion):
            return [
                comparison
                for item in value.values
                for comparison in self._GetComparisons(field, item)
            ]

        if field in _NUMBER_ATTRIBUTES:
            return [(_NUMBER_ATTRIBUTES[field], self._GetNumber(field, value))]

        if isinstance(value, types.SigmaNumber):
            value = types.SigmaString(str(value))

        if field is None:
            if isinstance(value, types.SigmaString):
                value = _ANY_TEXT + value + _ANY_TEXT
            return [("command_line", value), ("process_name", value)]

        if field in _PREFIXES:
            return self._GetImageComparisons(_PREFIXES[field], value)

        if field not in _TEXT_ATTRIBUTES:
            raise exceptions.SigmaTransformationError(f"atop does not record {field:s}")

        if isinstance(value, types.SigmaRegularExpression):
            is_cut = re.search(r"(?<!\\)\$", str(value.regexp))
        else:
            is_cut = (
                isinstance(value, types.SigmaString)
                and value.contains_special()
                and value.s[-1] != _ANY_TEXT
            )
        if is_cut and field != "User":
            self._AddApproximation(_COMMAND_LINE_IS_CUT)
        return [(_TEXT_ATTRIBUTES[field], value)]

    def _GetImageComparisons(self, prefix, value):
        """Determines what is compared with the path of an executable.

        Args:
          prefix (str): prefix of the attributes.
          value (SigmaType): value.

        Returns:
          list[tuple[str, SigmaType]]: attributes and values. One must match.

        Raises:
          SigmaTransformationError: if the value is of a type that is not supported.
        """
        name_attribute = f"{prefix:s}process_name"
        if isinstance(value, (types.SigmaExists, types.SigmaNull)):
            return [(name_attribute, value)]

        if not isinstance(value, types.SigmaString):
            raise exceptions.SigmaTransformationError(
                "atop does not record the path of the executable, only its name"
            )

        characters = [character for part in value.s for character in _Split(part)]
        if not characters:
            return [(name_attribute, types.SigmaNull())]

        separator = max(
            (i for i, character in enumerate(characters) if character == "/"),
            default=-1,
        )
        directories = characters[: max(separator, 0)]
        name = characters[separator + 1 :]

        comparisons = []
        is_name = separator < 0 or directories == [_ANY_TEXT]
        if is_name and name:
            name_value = type(value)()
            name_value.s = _Join(self._CutName(name))
            comparisons.append((name_attribute, name_value))
            # An asterisk may also stand for directories.
            is_name = _ANY_TEXT not in (name if separator >= 0 else name[1:])

        if not is_name:
            self._AddApproximation(_DIRECTORIES)
            pattern = _GetPattern(characters)
            if name and not comparisons and _ANY_TEXT not in name:
                # The command line has no directories where PATH had them, nor that of a
                # login shell.
                pattern = f"(?:{_GetPattern(directories):s}/|-)?{_GetPattern(name):s}"
            flags = {types.SigmaRegularExpressionFlag.IGNORECASE}
            if isinstance(value, types.SigmaCasedString):
                flags = set()
            expression = types.SigmaRegularExpression(f"^{pattern:s}(?: |$)", flags)
            comparisons.append((f"{prefix:s}command_line", expression))

        return comparisons

    def _GetNumber(self, field, value):
        """Determines the number that a field is compared with.

        Args:
          field (str): field.
          value (SigmaType): value.

        Returns:
          SigmaType: number, or a value that the backend refuses.

        Raises:
          SigmaTransformationError: if the field is compared with something else. It is
              always set.
        """
        if isinstance(value, types.SigmaString) and re.fullmatch(
            "[1-9][0-9]*", str(value)
        ):
            return types.SigmaNumber(int(str(value)))

        if isinstance(value, (types.SigmaNumber, types.SigmaCompareExpression)):
            return value
        raise exceptions.SigmaTransformationError(
            f"{field:s} can only be compared with numbers"
        )


def _GetPattern(characters):
    """Retrieves a regular expression for a part of the first word of a command line.

    Args:
      characters (list[str|SpecialChars]): characters and wildcards.

    Returns:
      str: regular expression.
    """
    wildcards = {_ANY_TEXT: "[^ ]*", types.SpecialChars.WILDCARD_SINGLE: "[^ ]"}
    return "".join(
        wildcards.get(character) or re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", character)
        for character in characters
    )


def _Join(characters):
    """Joins characters.

    Args:
      characters (list[str|SpecialChars]): characters and wildcards.

    Returns:
      list[str|SpecialChars]: texts and wildcards.
    """
    parts = []
    for character in characters:
        if parts and isinstance(character, str) and isinstance(parts[-1], str):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def _Split(part):
    """Splits a part of a text with wildcards.

    Args:
      part (str|SpecialChars): text or wildcard.

    Returns:
      list[str|SpecialChars]: characters or wildcard.
    """
    return list(part) if isinstance(part, str) else [part]


def plaso_atop_pipeline() -> pipeline.ProcessingPipeline:
    """Creates the pipeline.

    Returns:
      ProcessingPipeline: pipeline.
    """
    # pySigma names a pipeline like its function and knows it by its return type.
    # pylint: disable=invalid-name
    return pipeline.ProcessingPipeline(
        name="atop in Plaso",
        # That of SQLite writes queries of the same attributes, which tests compare.
        allowed_backends=frozenset({"plaso", "sqlite"}),
        priority=20,
        items=[
            pipeline.ProcessingItem(
                transformations.RuleFailureTransformation(
                    "not about process creation on Linux"
                ),
                rule_conditions=[
                    processing_conditions.LogsourceCondition(
                        category="process_creation", product="linux"
                    )
                ],
                rule_condition_negation=True,
            ),
            pipeline.ProcessingItem(ProcessTransformation()),
            pipeline.ProcessingItem(
                transformations.AddConditionTransformation(
                    _EVENTS, name="_cond_plaso_atop"
                )
            ),
        ],
    )
