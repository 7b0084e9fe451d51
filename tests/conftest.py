"""Options of the tests."""

import os


# pylint: disable-next=invalid-name
def pytest_addoption(parser):
    """Adds options.

    Args:
      parser (pytest.Parser): parser of the options.
    """
    parser.addoption(
        "--sigma",
        metavar="PATH",
        help="directory with more Sigma rules to convert, such as a clone of SigmaHQ",
    )


# pylint: disable-next=invalid-name
def pytest_configure(config):
    """Keeps the options for the tests.

    Args:
      config (pytest.Config): configuration.
    """
    path = config.getoption("--sigma")
    if path:
        os.environ["PLASO_ATOP_SIGMA_RULES"] = os.path.abspath(path)
