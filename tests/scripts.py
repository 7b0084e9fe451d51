"""Tests for the scripts that a user runs in a checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import unittest

from tests.lib import test_lib


@unittest.skipUnless(shutil.which("locale"), "needs locale")
class ScriptsTest(test_lib.BaseTestCase):
    """Tests for the scripts that a user runs in a checkout."""

    # Names of directories that a locale of ASCII cannot express.
    _CHECKOUT_NAME = "Pr\u00fcfung"
    _LOG_NAME = "l\u00f6g"

    @classmethod
    def setUpClass(cls):
        """Makes a checkout in a directory whose name is not ASCII."""
        super().setUpClass()
        directory = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, directory)

        cls._directory = directory
        cls._checkout = os.path.join(directory, cls._CHECKOUT_NAME)
        shutil.copytree(
            test_lib.PROJECT_PATH, cls._checkout, ignore=test_lib.IGNORED_NAMES
        )
        shutil.copy(test_lib.LOGS[0].path, os.path.join(cls._checkout, cls._LOG_NAME))

    def _Run(self, name, *arguments, **environment):
        """Runs a script.

        Args:
          name (str): name of the script.
          arguments (list[str]): arguments.
          environment (dict[str, str]): additional environment variables.

        Returns:
          CompletedProcess: the process.
        """
        environment_variables = {
            name: value
            for name, value in os.environ.items()
            if name not in ("LANG", "LC_ALL", "LC_CTYPE", "PYTHONUTF8")
        }
        environment_variables.update(
            {
                # What pip would have to download is that of this environment.
                "PIP_NO_BUILD_ISOLATION": "0",
                "PIP_NO_DEPS": "1",
                "PIP_NO_INDEX": "1",
                "PYTHON": sys.executable,
                "PYTHONPATH": sysconfig.get_path("purelib"),
                **environment,
            }
        )
        process = subprocess.run(
            [os.path.join(self._CHECKOUT_NAME, "scripts", name), *arguments],
            capture_output=True,
            check=False,
            cwd=self._directory,
            encoding="utf-8",
            env=environment_variables,
            timeout=300,
        )
        self.assertEqual(process.returncode, 0, process.stdout + process.stderr)
        return process

    def testLocale(self):
        """Tests both commands of the README in a locale of ASCII."""
        process = self._Run("test.sh", "--version", LC_ALL="C")
        self.assertRegex(process.stdout, "^pytest [0-9]")
        self.assertIn(f"/{self._CHECKOUT_NAME:s}/.venv, this takes", process.stderr)

        # Those of Plaso, which pip did not have to install.
        bin_path = os.path.join(self._checkout, ".venv", "bin")
        for name in ("log2timeline", "psort"):
            path = os.path.join(sysconfig.get_path("scripts"), name)
            with open(path, encoding="utf-8") as file_object:
                _, _, script = file_object.read().partition("\n")
            path = os.path.join(bin_path, name)
            with open(path, "w", encoding="utf-8") as file_object:
                file_object.write(f"#!{bin_path:s}/python\n{script:s}")
            os.chmod(path, 0o755)

        for environment in (
            {"LC_ALL": "C"},
            {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"},
            {"LANG": "C", "PYTHONCOERCECLOCALE": "0"},
            {"LC_ALL": "C", "PYTHONUTF8": "0"},
        ):
            with self.subTest(environment=environment):
                process = self._Run("test.sh", "--version", **environment)
                self.assertRegex(process.stdout, "^pytest [0-9]")
                self.assertEqual(process.stderr, "")

                process = self._Run(
                    "timeline.sh",
                    os.path.join(self._CHECKOUT_NAME, self._LOG_NAME),
                    **environment,
                )
                self.assertIn("Session of atop version: 1.23 ", process.stdout)
                self.assertEqual(process.stderr, "")


if __name__ == "__main__":
    unittest.main()
