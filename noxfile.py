"""Runs the tests with the versions of Plaso and Python that are supported, and others.

nox --list names the sessions, nox without arguments runs all for which there is a
Python.
"""

import nox

PLASO_VERSIONS = (
    "20240308",
    "20240826",
    "20250918",
    "20260119",
    "20260512",
    "20260720",
)
PYTHON_VERSIONS = ("3.10", "3.11", "3.12", "3.13")

# What a version of Plaso needs but does not ask for: with a later acstore the workers
# of 20240308 fail and its log2timeline waits for ever.
REQUIREMENTS = {"20240308": ("acstore<20240406",)}

# What depends on Plaso: its tools, a damaged log, what it is extended with, what tells
# whether that is complete, and the parser.
TESTS = (
    "tests/analysis/coverage.py",
    "tests/collection.py",
    "tests/commands/check.py",
    "tests/commands/sigma.py",
    "tests/end_to_end.py",
    "tests/integration.py",
    "tests/parser.py",
    "tests/sigma.py",
    "tests/tagging.py",
)


# What is checked besides the YAML files.
PYTHON_FILES = (
    "benchmarks",
    "data",
    "demonstration",
    "log_builder",
    "noxfile.py",
    "plaso_atop",
    "scripts",
    "sigma",
    "setup.py",
    "tests",
)


@nox.session
def lint(session):
    """Checks the style of the code and the spelling.

    Args:
      session (nox.Session): session.
    """
    # What is imported is known to pylint.
    session.install(
        "--editable",
        ".",
        "--requirement",
        "lint_requirements.txt",
        "--requirement",
        "test_requirements.txt",
    )
    session.run("black", "--check", *PYTHON_FILES)
    session.run("pylint", "--jobs", "0", *PYTHON_FILES)
    session.run("yamllint", ".")
    session.run("codespell")


@nox.session(python=PYTHON_VERSIONS)
@nox.parametrize("plaso", PLASO_VERSIONS)
def tests(session, plaso):
    """Runs the tests that depend on Plaso.

    Args:
      session (nox.Session): session.
      plaso (str): version of Plaso.
    """
    session.install(
        "--editable",
        ".",
        "--requirement",
        "test_requirements.txt",
        f"plaso=={plaso:s}",
        *REQUIREMENTS.get(plaso, ()),
    )
    session.run("python", "-m", "pytest", *(session.posargs or TESTS))


@nox.session
def docs(session):
    """Builds the documentation, in which a link that leads nowhere is an error.

    Args:
      session (nox.Session): session.
    """
    session.install("mkdocs == 1.6.1")
    session.run(
        *("mkdocs", "build", "--strict", "--site-dir"),
        *(session.posargs or [session.create_tmp()]),
    )
