"""Installation and deployment script."""

import glob
import os
import re

from setuptools import find_namespace_packages
from setuptools import find_packages
from setuptools import setup
from setuptools.command.build_py import build_py

# Where the repository is published. docs/ has links to it as well.
PROJECT_URL = "https://github.com/plaso-atop/plaso-atop"


class BuildPy(build_py):
    """Builds the package, with the files that stand outside its directory.

    The data directory becomes part of the package. The .pth file is installed beside
    the package, where Python looks for such files. An editable install finds the data
    directory in the source tree, but needs the .pth file as well.
    """

    _PTH_FILE = "plaso_atop.pth"

    def get_output_mapping(self):
        """Retrieves the source of every file of the build.

        Returns:
          dict[str, str]: paths of the sources per path of the results.
        """
        return {**super().get_output_mapping(), **self._GetDataMapping()}

    def run(self):
        """Builds the package."""
        super().run()

        if self.editable_mode:
            # An editable wheel holds the installed files, but not the build directory.
            directory = self.get_finalized_command("install").install_lib
        else:
            directory = self.build_lib
            for target, source in self._GetDataMapping().items():
                self.mkpath(os.path.dirname(target))
                self.copy_file(source, target)

        self.mkpath(directory)
        self.copy_file(self._PTH_FILE, os.path.join(directory, self._PTH_FILE))

    def _GetDataMapping(self):
        """Retrieves the source of every data file of the build.

        Returns:
          dict[str, str]: paths of the sources per path of the results.
        """
        return {
            os.path.join(self.build_lib, "plaso_atop", path): path
            for path in glob.glob(os.path.join("data", "**"), recursive=True)
            if os.path.isfile(path)
        }


def ReadFile(name):
    """Reads a text file.

    Args:
      name (str): name of the file.

    Returns:
      str: contents of the file.
    """
    with open(name, encoding="utf-8") as file_object:
        return file_object.read()


def GetDescription():
    """Retrieves the README, with links that also lead somewhere on a package index.

    Returns:
      str: text, in which links to files of the project are absolute.
    """
    return re.sub(
        r"(!?)(\[[^\]]*\])\((?!https?://)([^)]+)\)",
        lambda match: (
            f"{match[1]:s}{match[2]:s}({PROJECT_URL:s}/"
            f"{'raw' if match[1] else 'blob'}/main/"
            f"{'README.md' if match[3].startswith('#') else ''}{match[3]:s})"
        ),
        ReadFile("README.md"),
    )


# Importing the package here would find it before what it requires is installed.
VERSION = re.search(
    r'^__version__ = "([0-9]+)"$',
    ReadFile(os.path.join("plaso_atop", "__init__.py")),
    re.MULTILINE,
).group(1)

setup(
    name="plaso-atop",
    version=VERSION,
    description="Plaso (log2timeline) parser for the binary raw logs of atop",
    long_description=GetDescription(),
    long_description_content_type="text/markdown",
    url=PROJECT_URL,
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    classifiers=[
        "Environment :: Console",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Topic :: Security",
    ],
    cmdclass={"build_py": BuildPy},
    # This makes an editable install a path, which Python adds at its start. Otherwise
    # it is a finder, whose import took 10 ms.
    package_dir={"": "."},
    # pySigma looks for its plugins in its own namespace.
    packages=find_packages(include=["plaso_atop", "plaso_atop.*"])
    + find_namespace_packages(include=["sigma.*"]),
    package_data={"plaso_atop": ["*.yaml"]},
    entry_points={"console_scripts": ["plaso-atop = plaso_atop.__main__:Main"]},
    python_requires=">=3.10",
    install_requires=[
        "dfdatetime >= 20240316",
        "dfvfs >= 20240115",
        "dtfabric >= 20230520",
        "plaso >= 20240308",
        "pyyaml >= 3.10",
        "tqdm >= 4.60",
        "wrapt >= 1.14.0",
        # Has wheels for these, elsewhere it would have to be compiled.
        'zlib-ng ; platform_machine == "x86_64" or platform_machine == "AMD64"'
        ' or platform_machine == "aarch64" or platform_machine == "arm64"',
    ],
    extras_require={"sigma": ["pysigma >= 1.3"]},
)
