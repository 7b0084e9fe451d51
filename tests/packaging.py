#!/usr/bin/env python3
"""Tests for what is installed, and for what Python does at its start."""

import glob
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import textwrap
import timeit
import unittest
import venv
import zipfile

from tests.lib import test_lib


class PackagingTest(test_lib.BaseTestCase):
    """Tests for the distribution files and for installing them."""

    _PTH_FILE = "plaso_atop.pth"

    _SHOW_PARSER = textwrap.dedent("""\
        from plaso import parsers
        from plaso.parsers import manager

        parser_objects = manager.ParsersManager.GetParserObjects()
        print("utmp" in parser_objects, "atop" in parser_objects)
        """)

    @classmethod
    def setUpClass(cls):
        """Builds the distribution files, the wheel from the unpacked sdist."""
        super().setUpClass()
        cls._directory = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls._directory)

        cls._source_path = os.path.join(cls._directory, "source")
        shutil.copytree(
            test_lib.PROJECT_PATH, cls._source_path, ignore=test_lib.IGNORED_NAMES
        )

        cls._sdist_path = cls._Build(cls._source_path, "build_sdist")
        with tarfile.open(cls._sdist_path) as tar_file:
            cls._sdist_names = tar_file.getnames()
            tar_file.extractall(cls._directory)

        sdist_name = os.path.basename(cls._sdist_path)
        cls._wheel_path = cls._Build(
            os.path.join(cls._directory, sdist_name[: -len(".tar.gz")]), "build_wheel"
        )

    @classmethod
    def _Build(cls, source_path, hook_name):
        """Builds a distribution file as pip does.

        Args:
          source_path (str): path of the source tree.
          hook_name (str): name of the hook of the build backend.

        Returns:
          str: path of the distribution file.
        """
        script = (
            f"from setuptools import build_meta; "
            f"print(build_meta.{hook_name:s}({cls._directory!r}))"
        )
        output = cls._RunPython(sys.executable, "-c", script, cwd=source_path).stdout
        return os.path.join(cls._directory, output.splitlines()[-1])

    @classmethod
    def _RunPython(cls, *arguments, cwd=None, environment=None, exit_code=0):
        """Runs Python.

        Args:
          arguments (list[str]): interpreter and its arguments.
          cwd (Optional[str]): working directory, None for one without modules.
          environment (Optional[dict[str, str]]): additional environment variables.
          exit_code (Optional[int]): expected exit code.

        Returns:
          CompletedProcess: the process.

        Raises:
          RuntimeError: if the exit code is another one.
        """
        environment_variables = {
            name: value
            for name, value in os.environ.items()
            if name not in ("PLASO_ATOP_DISABLE", "PYTHONPATH", "PYTHONHOME")
        }
        environment_variables.update(environment or {})
        process = subprocess.run(
            arguments,
            capture_output=True,
            check=False,
            cwd=cwd or os.path.dirname(cls._directory),
            encoding="utf-8",
            env=environment_variables,
            timeout=120,
        )
        if process.returncode != exit_code:
            raise RuntimeError(
                f"exit code: {process.returncode:d} of {arguments!s}\n"
                f"{process.stdout:s}\n{process.stderr:s}"
            )
        return process

    def _CreateEnvironment(self):
        """Creates a virtual environment that sees the packages of this one.

        What their .pth files do is not done there, hence the package is not installed,
        even where it is installed in this environment.

        Returns:
          str: path of the Python interpreter.
        """
        path = tempfile.mkdtemp(dir=self._directory)
        venv.create(path, symlinks=True)

        python = os.path.join(path, "bin", "python")
        with open(
            os.path.join(self._GetSitePath(python), "outer.pth"), "w", encoding="utf-8"
        ) as file_object:
            file_object.write(f"{sysconfig.get_path('purelib'):s}\n")

        return python

    def _GetNames(self, path):
        """Retrieves the names of what a directory has.

        Args:
          path (str): path of the directory.

        Returns:
          set[str]: names, without directories that hold no file: pip leaves that of a
              namespace behind.
        """
        return {
            name
            for name in os.listdir(path)
            if os.path.isfile(os.path.join(path, name))
            or any(files for _, _, files in os.walk(os.path.join(path, name)))
        }

    def _GetSitePath(self, python):
        """Retrieves where an environment has its packages.

        Args:
          python (str): path of the Python interpreter.

        Returns:
          str: path.
        """
        path = os.path.dirname(os.path.dirname(python))
        return glob.glob(os.path.join(path, "lib", "python3*", "site-packages"))[0]

    def _Install(self, python, *arguments):
        """Installs the package.

        Args:
          python (str): path of the Python interpreter.
          arguments (list[str]): arguments of pip that name what to install.
        """
        self._RunPython(
            *(sys.executable, "-m", "pip", "--python", python, "install"),
            *("--no-build-isolation", "--no-deps", "--no-index", "--quiet"),
            *arguments,
        )

    def _Uninstall(self, python):
        """Uninstalls the package.

        Args:
          python (str): path of the Python interpreter.
        """
        self._RunPython(
            *(sys.executable, "-m", "pip", "--python", python, "uninstall"),
            *("--quiet", "--yes", "plaso-atop"),
        )

    def _GetProjectFiles(self, *patterns):
        """Retrieves files of the project.

        Args:
          patterns (list[str]): patterns of their paths in the project.

        Returns:
          set[str]: paths in the project.
        """
        paths = set()
        for pattern in patterns:
            pattern_paths = {
                os.path.relpath(path, self._source_path)
                for path in glob.glob(
                    os.path.join(self._source_path, pattern), recursive=True
                )
                if os.path.isfile(path)
            }
            self.assertTrue(pattern_paths, pattern)
            paths.update(pattern_paths)

        return paths

    def testWheel(self):
        """Tests the contents of the wheel."""
        with zipfile.ZipFile(self._wheel_path) as zip_file:
            names = set(zip_file.namelist())
            (metadata_name,) = [name for name in names if name.endswith("/METADATA")]
            metadata = zip_file.read(metadata_name).decode("utf-8")

        self.assertTrue(self._wheel_path.endswith("-py3-none-any.whl"))

        information_path, _, _ = metadata_name.partition("/")
        names = {name for name in names if not name.startswith(information_path)}
        expected_names = {
            f"plaso_atop/{name:s}" if name.startswith("data") else name
            for name in self._GetProjectFiles(
                self._PTH_FILE,
                "data/**",
                "plaso_atop/**/*.py",
                "plaso_atop/*.yaml",
                "sigma/**/*.py",
            )
        }
        self.assertEqual(names, expected_names)

        for line in (
            "License-Expression: Apache-2.0",
            "Requires-Dist: plaso>=20240308",
            'Requires-Dist: pysigma>=1.3; extra == "sigma"',
            "Requires-Python: >=3.10",
        ):
            self.assertIn(line, metadata.splitlines())

    def testSourceDistribution(self):
        """Tests the contents of the sdist."""
        expected_names = self._GetProjectFiles(
            "LICENSE",
            "README.md",
            "noxfile.py",
            self._PTH_FILE,
            "pyproject.toml",
            "setup.*",
            "test_requirements.txt",
            "mkdocs.yml",
            "benchmarks/*",
            "data/**",
            "docs/*",
            "plaso_atop/**",
            "scripts/*",
            "sigma/**",
            "test_data/**",
            "tests/**",
        )
        # The first directory is named after the version.
        names = {name.partition("/")[2] for name in self._sdist_names}
        self.assertEqual(expected_names - names, set())

    def testLinks(self):
        """Tests that links lead somewhere, also on a package index."""
        with zipfile.ZipFile(self._wheel_path) as zip_file:
            (name,) = [
                name for name in zip_file.namelist() if name.endswith("/METADATA")
            ]
            metadata = zip_file.read(name).decode("utf-8")
        (project_url,) = re.findall(r"^Home-page: (\S+)$", metadata, re.MULTILINE)

        texts = {"METADATA": metadata}
        for path in self._GetProjectFiles("README.md", "docs/*.md"):
            with open(
                os.path.join(self._source_path, path), encoding="utf-8"
            ) as file_object:
                texts[path] = file_object.read()

        for path, text in texts.items():
            links = re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", text)
            for mark, link in links:
                with self.subTest(path=path, link=link):
                    target, _, anchor = link.partition("#")
                    if target.startswith(f"{project_url:s}/"):
                        prefix = f"{project_url:s}/{'raw' if mark else 'blob'}/main/"
                        self.assertTrue(target.startswith(prefix))
                        target = target[len(prefix) :]
                    elif target.startswith("https://"):
                        continue
                    else:
                        self.assertNotEqual(path, "METADATA")
                        target = (
                            os.path.join(os.path.dirname(path), target)
                            if target
                            else path
                        )

                    with open(
                        os.path.join(self._source_path, target), "rb"
                    ) as file_object:
                        if anchor:
                            headings = re.findall(
                                rb"^#+ (.*)$", file_object.read(), re.MULTILINE
                            )
                            self.assertIn(
                                anchor,
                                [
                                    heading.decode("utf-8").lower().replace(" ", "-")
                                    for heading in headings
                                ],
                            )

        self.assertGreater(metadata.count(f"({project_url:s}/blob/main/docs/"), 7)
        self.assertEqual(metadata.count(f"({project_url:s}/raw/main/docs/"), 1)

        # A stranger is to read it in a few minutes.
        self.assertLessEqual(texts["README.md"].count("\n"), 150)

    def testInstall(self):
        """Tests installing the wheel, and uninstalling it."""
        python = self._CreateEnvironment()
        site_path = self._GetSitePath(python)
        show_modules = "import sys; print(sorted(sys.modules))"
        modules = self._RunPython(python, "-c", show_modules).stdout
        names = self._GetNames(site_path)

        self._Install(python, self._wheel_path)
        self.assertIn(self._PTH_FILE, os.listdir(site_path))

        # A Python that does not import Plaso imports nothing of us.
        self.assertEqual(self._RunPython(python, "-c", show_modules).stdout, modules)

        process = self._RunPython(python, "-c", self._SHOW_PARSER)
        self.assertEqual(process.stdout, "True True\n")
        self.assertNotIn("plaso-atop", process.stderr)

        process = self._RunPython(
            *(python, "-c", self._SHOW_PARSER), environment={"PLASO_ATOP_DISABLE": "1"}
        )
        self.assertEqual(process.stdout, "True False\n")
        self.assertNotIn("plaso-atop", process.stderr)

        # The script that is installed.
        tool = os.path.join(os.path.dirname(python), "plaso-atop")
        output = self._RunPython(python, tool, "check").stdout
        self.assertIn(f"{site_path:s}/plaso_atop", output)
        self.assertNotIn("MISSING", output)

        # wrapt is gone.
        process = self._RunPython(
            python,
            "-c",
            f"import sys; sys.modules['wrapt'] = None\n{self._SHOW_PARSER:s}",
        )
        self.assertEqual(process.stdout, "True False\n")
        self.assertEqual(process.stderr.count("plaso-atop"), 1, process.stderr)

        # The .pth file is gone.
        os.rename(
            os.path.join(site_path, self._PTH_FILE), os.path.join(site_path, "away")
        )
        output = self._RunPython(python, tool, "check", exit_code=1).stdout
        self.assertIn("start-up:    MISSING", output)
        self.assertIn("parser:      MISSING", output)
        os.rename(
            os.path.join(site_path, "away"), os.path.join(site_path, self._PTH_FILE)
        )

        self._Uninstall(python)
        self.assertEqual(self._GetNames(site_path), names)
        process = self._RunPython(python, "-c", self._SHOW_PARSER)
        self.assertEqual(process.stdout, "True False\n")

    def testEditableInstall(self):
        """Tests an editable install, before and after its source tree is removed."""
        for mode in ("lenient", "strict"):
            with self.subTest(mode=mode):
                source_path = os.path.join(self._directory, mode)
                shutil.copytree(self._source_path, source_path)

                python = self._CreateEnvironment()
                site_path = self._GetSitePath(python)
                names = self._GetNames(site_path)

                self._Install(
                    *(python, "--config-settings", f"editable_mode={mode:s}"),
                    *("--editable", source_path),
                )
                self.assertIn(self._PTH_FILE, os.listdir(site_path))

                output = self._RunPython(python, "-m", "plaso_atop", "check").stdout
                self.assertIn(f" {source_path:s}/", output)
                self.assertNotIn("MISSING", output)

                shutil.rmtree(source_path)
                process = self._RunPython(python, "-c", self._SHOW_PARSER)
                self.assertEqual(process.stdout, "True False\n")
                self.assertEqual(process.stderr.count("plaso-atop"), 1, process.stderr)
                self.assertNotIn("Traceback", process.stderr)

                self._Uninstall(python)
                self.assertEqual(self._GetNames(site_path), names)


class StartupTest(test_lib.BaseTestCase):
    """Tests for the line that Python runs at every start."""

    def _GetLine(self):
        """Retrieves the line.

        Returns:
          str: line.
        """
        path = os.path.join(test_lib.PROJECT_PATH, "plaso_atop.pth")
        with open(path, encoding="ascii") as file_object:
            lines = [line for line in file_object if not line.startswith("#")]

        self.assertEqual(len(lines), 1)
        # Python would take any other line for a path.
        self.assertTrue(lines[0].startswith("import "))
        return lines[0]

    def testCost(self):
        """Tests that the line takes far less than a millisecond."""
        line = self._GetLine()
        finders = list(sys.meta_path)
        try:
            # pylint: disable-next=exec-used
            durations = timeit.repeat(lambda: exec(line), number=1, repeat=50)
        finally:
            sys.meta_path[:] = finders

        self.assertLess(min(durations), 0.0005)

    def testFinder(self):
        """Tests what the finder does when Plaso is imported, and when it is not."""
        # The finder after it must not be skipped: it is the one that finds the module.
        script = textwrap.dedent(f"""\
            import importlib.machinery
            import sys
            import types

            # As Python does in a virtual environment.
            for _ in range(2):
                exec({self._GetLine()!r})
            finder = sys.meta_path[0]

            class PlasoFinder:
                def find_spec(self, name, path=None, target=None):
                    if name.split(".")[0] == "plaso":
                        return importlib.machinery.ModuleSpec(name, self)

                def create_module(self, spec):
                    return None

                def exec_module(self, module):
                    pass

            def Install():
                if "wrapt" not in sys.modules:
                    sys.modules["wrapt"] = None
                    print("Install")
                    # As wrapt does, while the import system walks the list.
                    sys.meta_path.insert(0, OtherFinder())

            class OtherFinder:
                def find_spec(self, name, path=None, target=None):
                    return None

            integration = types.ModuleType("plaso_atop.integration")
            integration.Install = Install
            package = types.ModuleType("plaso_atop")
            package.integration = integration
            sys.modules["plaso_atop"] = package
            sys.modules["plaso_atop.integration"] = integration

            sys.meta_path.insert(1, PlasoFinder())
            for name in ("json", "plaso_other", "json.plaso"):
                try:
                    __import__(name)
                except ImportError:
                    print("no", name)
            print(sys.meta_path.count(finder))
            import plaso
            print(type(plaso.__loader__).__name__)
            import importlib
            importlib.reload(plaso)
            """)
        process = subprocess.run(
            [sys.executable, "-I", "-S", "-c", script],
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=60,
        )
        self.assertEqual(process.stderr, "")
        self.assertEqual(
            process.stdout.splitlines(),
            [
                "no plaso_other",
                "no json.plaso",
                "1",
                "Install",
                "PlasoFinder",
            ],
        )


if __name__ == "__main__":
    unittest.main()
