"""Command line tool, whose commands are the modules of plaso_atop.commands."""

import argparse
import codecs
import contextlib
import os
import sys

import plaso_atop

# A command is imported when it is run: one needs Plaso, which takes its time, another
# does not.
# pylint: disable=import-outside-toplevel


ERROR_HANDLER = "plaso_atop.escape"


def _Discard(streams):
    """Discards the rest of the output.

    Args:
      streams (list[file]): streams that cannot be written to.
    """
    descriptor = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(descriptor, stream.fileno())


def _EscapeUnencodable(exception):
    r"""Escapes characters that a stream cannot encode, as text.Escape does.

    Python's own handler gives \xNN for a character, and for a byte that is not UTF-8.

    Args:
      exception (UnicodeEncodeError): error.

    Returns:
      tuple[str, int]: replacement and the position to go on at.
    """
    characters = exception.object[exception.start : exception.end]
    encoded = characters.encode("utf-16-be", "surrogatepass")
    return (
        "".join(
            f"\\u{encoded[index : index + 2].hex():s}"
            for index in range(0, len(encoded), 2)
        ),
        exception.end,
    )


def _PrepareStreams():
    """Prepares the standard streams for any text of a log or file name."""
    codecs.register_error(ERROR_HANDLER, _EscapeUnencodable)

    for name in ("stdout", "stderr"):
        # Python has none where the caller closed it.
        if getattr(sys, name) is None:
            # pylint: disable=consider-using-with
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))

        getattr(sys, name).reconfigure(errors=ERROR_HANDLER)


def _Run():
    """Runs the command that the arguments ask for.

    Returns:
      bool: True if all is well.
    """
    argument_parser = argparse.ArgumentParser(
        prog="plaso-atop",
        description="Checks the installation, looks at atop logs, finds lost ones, and "
        "converts Sigma rules.",
    )
    argument_parser.add_argument(
        "-V",
        "--version",
        action="version",
        version=f"plaso-atop {plaso_atop.__version__:s}",
    )
    subparsers = argument_parser.add_subparsers(dest="command", required=True)
    subparsers.add_parser(
        "check", help="say whether the installed Plaso sees all that this package adds"
    )
    info_parser = subparsers.add_parser(
        "info", help="show what atop raw logs hold, without Plaso"
    )
    info_parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="atop raw log, also compressed with gzip, bzip2 or xz, or a directory",
    )
    carve_parser = subparsers.add_parser(
        "carve", help="find samples that no log holds any more, anywhere in an image"
    )
    carve_parser.add_argument(
        "source",
        metavar="SOURCE",
        help="storage media image, block device, or any other file; it is only read",
    )
    carve_parser.add_argument(
        "--output",
        metavar="DIRECTORY",
        required=True,
        help="directory for the logs, empty or new",
    )
    carve_parser.add_argument(
        "--all",
        action="store_true",
        help="also write the samples that logs in the file systems hold",
    )
    sigma_parser = subparsers.add_parser(
        "sigma", help="convert Sigma rules to tagging rules, needs plaso-atop[sigma]"
    )
    sigma_parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="Sigma rule about process creation on Linux, or a directory with rules",
    )
    sigma_parser.add_argument(
        "--output", required=True, metavar="FILE", help="file to write"
    )
    sigma_parser.add_argument(
        "--format",
        choices=["tagging", "timesketch"],
        default="tagging",
        help="tagging file of psort, the default, or tags.yaml of Timesketch",
    )
    options = argument_parser.parse_args()

    if options.command == "check":
        from plaso_atop.commands import check

        return check.Check()

    if options.command == "carve":
        from plaso_atop.commands import carve

        return carve.Carve(options.source, options.output, options.all)

    if options.command == "sigma":
        from plaso_atop.commands import sigma

        return sigma.Convert(options.paths, options.output, options.format)

    from plaso_atop.commands import info

    return info.Info(options.paths)


def Main():
    """Entry point of console script.

    Returns:
      int: exit code that is provided to sys.exit().
    """
    _PrepareStreams()

    try:
        try:
            is_complete = _Run()
        finally:
            sys.stdout.flush()

    except KeyboardInterrupt:
        return 130

    # The reader of the output, such as head, is gone.
    except BrokenPipeError:
        _Discard([sys.stdout, sys.stderr])
        return 1

    # The commands handle errors of files: this is one of the output, such as a disk
    # that is full.
    except OSError as exception:
        _Discard([sys.stdout])
        with contextlib.suppress(OSError):
            print(f"plaso-atop: {exception.strerror!s}", file=sys.stderr)
        return 1

    return 0 if is_complete else 1


if __name__ == "__main__":
    sys.exit(Main())
