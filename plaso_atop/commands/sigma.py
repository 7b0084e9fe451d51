"""Command that converts Sigma rules to tagging rules of psort, or of Timesketch."""

import collections
import glob
import os
import pathlib
import sys

import yaml

from plaso_atop import text

try:
    from sigma import collection as sigma_collection
    from sigma import exceptions
    from sigma import rule as sigma_rule

    # pylint: disable-next=ungrouped-imports
    from plaso_atop.sigma import backend as sigma_backend
    from plaso_atop.sigma import pipeline
except ImportError:
    sigma_collection = None


class _Report:
    """Report of what became of the rules.

    Attributes:
      is_complete (bool): True if all files could be read.
    """

    def __init__(self):
        """Initializes a report."""
        super().__init__()
        self._counter = collections.Counter()
        self.is_complete = True

    def AddConverted(self, path, approximations):
        """Adds a rule that was converted.

        Args:
          path (str): path of the rule.
          approximations (list[str]): why it is only nearly the same, empty if it is the
              same.
        """
        self._counter["approximate" if approximations else "exact"] += 1
        if approximations:
            _Print(path, f"approximate: {'; '.join(approximations):s}")

    def AddNotConverted(self, path, reason):
        """Adds a rule that was not converted.

        Args:
          path (str): path of the rule.
          reason (Exception): reason.
        """
        self._counter["not converted"] += 1
        _Print(path, f"not converted: {_GetMessage(reason):s}")

    def AddOther(self):
        """Adds a rule that is about other events."""
        self._counter["other"] += 1

    def AddUnreadable(self, path, error):
        """Adds a file that cannot be read, or is no rule.

        Args:
          path (str): path of the file.
          error (Exception): error.
        """
        self.is_complete = False
        self._counter["unreadable"] += 1
        _Print(path, f"unreadable: {_GetMessage(error):s}")

    def PrintSummary(self):
        """Prints how many rules there are of each kind."""
        counter = self._counter
        print(
            f"{counter['exact'] + counter['approximate']:d} rules converted, "
            f"{counter['exact']:d} exactly and {counter['approximate']:d} "
            f"approximately; {counter['not converted']:d} not converted, "
            f"{counter['unreadable']:d} unreadable, "
            f"{counter['other']:d} not about process creation on Linux",
            file=sys.stderr,
        )


def _GetMessage(exception):
    """Retrieves the message of an exception.

    Args:
      exception (Exception): exception.

    Returns:
      str: message, without the path of the rule, which pySigma adds to it.
    """
    if isinstance(exception, exceptions.SigmaError):
        return str(exception.args[0])
    if isinstance(exception, (OSError, UnicodeError, yaml.YAMLError)):
        return str(exception)
    return f"no Sigma rule ({exception!s})"


def _GetPaths(path):
    """Retrieves the paths of rules.

    Args:
      path (str): path of a file or a directory.

    Returns:
      list[str]: path of the file, or paths of the rules in the directory and below it.
    """
    if not os.path.isdir(path):
        return [path]

    pattern = os.path.join(glob.escape(path), "**", "*.y*ml")
    return sorted(filter(os.path.isfile, glob.glob(pattern, recursive=True)))


def _Print(path, message):
    """Prints a message about a file.

    Args:
      path (str): path.
      message (str): message.
    """
    message = " ".join(message.split()).encode("utf-8", "surrogatepass")
    print(
        f"{text.Escape(os.fsencode(path)):s}: {text.Escape(message):s}",
        file=sys.stderr,
    )


def _ReadRules(paths, report):
    """Reads rules.

    Args:
      paths (list[str]): paths of files and directories.
      report (_Report): report.

    Returns:
      list[SigmaRule]: rules about process creation on Linux, with the filters that the
          files have for these applied.
    """
    items = []
    for path in dict.fromkeys(file for path in paths for file in _GetPaths(path)):
        try:
            with open(path, encoding="utf-8") as file_object:
                collection = sigma_collection.SigmaCollection.from_yaml(
                    file_object,
                    collect_errors=True,
                    source=exceptions.SigmaRuleLocation(pathlib.Path(path)),
                    collect_filters=True,
                    resolve_references=False,
                )
        # Whatever is wrong with a file, the next one is read.
        except Exception as exception:  # pylint: disable=broad-except
            report.AddUnreadable(path, exception)
            continue

        if collection.errors:
            report.AddUnreadable(path, collection.errors[0])
        for item in collection.rules + collection.filters:
            if not item.errors:
                items.append(item)

    rules = []
    for rule in sigma_collection.SigmaCollection(items, resolve_references=False):
        path = str(rule.source.path)
        if not isinstance(rule, sigma_rule.SigmaRule):
            reason = exceptions.SigmaError("tagging rules cannot correlate events")
            report.AddNotConverted(path, reason)
        elif (rule.logsource.category, rule.logsource.product) != (
            "process_creation",
            "linux",
        ):
            report.AddOther()
        else:
            rules.append(rule)
    return rules


def Convert(paths, output_path, output_format):
    """Converts Sigma rules.

    Args:
      paths (list[str]): paths of rules, and of directories with rules.
      output_path (str): path of the file to write.
      output_format (str): format of the file, "tagging" or "timesketch".

    Returns:
      bool: True if a file was written and all rules could be read.
    """
    if sigma_collection is None:
        print(
            "plaso-atop sigma needs pySigma: pip install 'plaso-atop[sigma]'",
            file=sys.stderr,
        )
        return False

    report = _Report()
    backend = sigma_backend.PlasoBackend(pipeline.plaso_atop_pipeline())
    backend.init_processing_pipeline(output_format)

    queries = []
    for rule in _ReadRules(paths, report):
        path = str(rule.source.path)
        try:
            queries.extend(backend.convert_rule(rule, output_format))
        # Whatever is wrong with a rule, the next one is converted.
        except Exception as exception:  # pylint: disable=broad-except
            report.AddNotConverted(path, exception)
        else:
            state = rule.get_conversion_states()[0].processing_state
            report.AddConverted(path, state["approximations"])

    report.PrintSummary()
    if not queries:
        print("No rule was converted", file=sys.stderr)
        return False

    contents = backend.finalize(queries, output_format)
    try:
        with open(output_path, "w", encoding="utf-8") as file_object:
            file_object.write(contents)
    except OSError as exception:
        _Print(output_path, f"{exception.strerror!s}")
        return False
    return report.is_complete
