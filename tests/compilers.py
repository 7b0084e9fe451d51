"""Tests for the script that makes the layouts of the tests."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from tests.lib import test_lib

_COMPILER = "x86_64-linux-gnu-gcc"

_SOURCE = """
#include <time.h>
#include <zlib.h>

struct rawheader { unsigned int magic; };
struct rawrecord { time_t curtime; unsigned short flags, sfuture[3]; };
struct part { int number; float share; };
struct pstat {
    struct { int pid; char name[16], state; } gen;
    struct part parts[2];
    long long rsz;
};
struct sstat { unsigned char active; char end; };

struct rawheader rawheader;
struct rawrecord rawrecord;
struct pstat pstat;
struct sstat sstat;
"""


@unittest.skipUnless(
    shutil.which(_COMPILER) and shutil.which("git"), "gcc or git is not installed"
)
class CompilersTest(test_lib.BaseTestCase):
    """Tests for the script that makes the layouts of the tests."""

    _MEMBERS = {
        "rawheader": [["magic", 0, 4, 1, "uint"]],
        "rawrecord": [
            ["curtime", 0, 8, 1, "int"],
            ["flags", 8, 2, 1, "uint"],
            ["sfuture", 10, 2, 3, "uint"],
        ],
        "tstat": [
            ["gen.pid", 0, 4, 1, "int"],
            ["gen.name", 4, 1, 16, "string"],
            ["gen.state", 20, 1, 1, "char"],
            ["parts[]", 24, 8, 2, "struct"],
            ["parts[].number", 24, 4, 1, "int"],
            ["parts[].share", 28, 4, 1, "float"],
            ["rsz", 40, 8, 1, "int"],
        ],
        "sstat": [["active", 0, 1, 1, "uint"], ["end", 1, 1, 1, "char"]],
    }

    def setUp(self):
        """Makes a repository of an invented atop."""
        directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, directory)
        self._repository = os.path.join(directory, "atop")
        self._path = os.path.join(directory, "layouts.json.gz")
        shutil.copy(test_lib.GetTestFilePath(["layouts.json.gz"]), self._path)

        os.mkdir(self._repository)
        source_path = os.path.join(self._repository, "rawlog.c")
        with open(source_path, "w", encoding="ascii") as file_object:
            file_object.write(_SOURCE)
        for arguments in (
            ["init", "--quiet"],
            ["add", "rawlog.c"],
            ["-c", "user.name=t", "-c", "user.email=t", "commit", "-qm", "First"],
        ):
            subprocess.run(["git", "-C", self._repository, *arguments], check=True)

    def _Run(self, *arguments):
        """Runs the script.

        Args:
          arguments (list[str]): arguments.

        Returns:
          CompletedProcess: the process.
        """
        path = os.path.join(test_lib.PROJECT_PATH, "scripts", "layouts.py")
        return subprocess.run(
            [sys.executable, path, "--path", self._path, self._repository, *arguments],
            capture_output=True,
            check=False,
            text=True,
        )

    def _ReadLayouts(self):
        """Reads the layouts.

        Returns:
          dict[str, object]: values of the JSON file.
        """
        with gzip.open(self._path) as file_object:
            return json.load(file_object)

    def testVersion(self):
        """Tests that a version is added and that the others stay."""
        old_values = self._ReadLayouts()
        process = self._Run("--version", "9.1=HEAD")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("1.23: no tag, layouts stay as they are\n", process.stdout)

        values = self._ReadLayouts()
        for name, members in self._MEMBERS.items():
            identifier = values["versions"][name].pop("9.1")["x86_64"]
            self.assertEqual(values["layouts"][name][identifier]["members"], members)
        self.assertEqual(values["versions"], old_values["versions"])
        row = next(row for row in values["files"] if row["layout_version"] == "9.1")
        self.assertEqual(
            [row[name] for name in ("rawreclen", "tstatlen", "sstatlen", "cstatlen")],
            [16, 48, 2, None],
        )

    def testCheck(self):
        """Tests that a difference is found, and not written."""
        with open(self._path, "rb") as file_object:
            data = file_object.read()
        self.assertEqual(self._Run("--check").returncode, 0)

        process = self._Run("--check", "--version", "2.13=HEAD")
        self.assertEqual(process.returncode, 1)
        self.assertRegex(process.stdout, "[1-9][0-9]* of 600 layouts differ")
        with open(self._path, "rb") as file_object:
            self.assertEqual(file_object.read(), data)

    def testErrors(self):
        """Tests what cannot be compiled."""
        process = self._Run("--version", "9.1=unknown")
        self.assertEqual(process.returncode, 1)
        self.assertIn("9.1: unknown: ", process.stderr)
        self.assertNotIn("Traceback", process.stderr)

        path = os.path.join(self._repository, "rawlog.c")
        with open(path, "a", encoding="ascii") as file_object:
            file_object.write("struct sstat { int twice; };\n")
        subprocess.run(
            ["git", "-C", self._repository, "-c", "user.name=t", "-c", "user.email=t"]
            + ["commit", "-qam", "Second"],
            check=True,
        )
        process = self._Run("--version", "9.1=HEAD")
        self.assertEqual(process.returncode, 1)
        self.assertIn("redefinition of ", process.stderr)


if __name__ == "__main__":
    unittest.main()
