#!/usr/bin/env python
"""Makes the disk image of the demonstration case.

The image is the ext4 file system of a server with an intrusion, which story.py tells.
Needed is e2fsprogs, and no privileges.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

# pylint: disable=wrong-import-position
from demonstration import story

_IMAGE_SIZE = "16M"
_UUID = "0c5d2a9e-7f3b-4d0e-9a51-6f5f8f1c2b7d"


def _FindTool(name):
    """Finds a tool of e2fsprogs.

    Args:
      name (str): name of the tool.

    Returns:
      str: path of the tool.

    Raises:
      FileNotFoundError: if there is none.
    """
    # Debian has them where only root looks.
    path = shutil.which(name, path=f"{os.environ.get('PATH', ''):s}:/usr/sbin:/sbin")
    if not path:
        raise FileNotFoundError(f"no {name:s}, which is part of e2fsprogs")
    return path


def _WriteFiles(files, directory):
    """Writes files to a directory.

    Args:
      files (list[story.File]): files, directories before what is in them.
      directory (str): path of the directory.
    """
    for file in files:
        path = os.path.join(directory, file.path)
        if file.target is not None:
            os.symlink(file.target, path)
        elif file.data is None:
            os.mkdir(path)
        else:
            with open(path, "wb") as file_object:
                file_object.write(file.data)


def _GetCommands(files):
    """Makes commands that set what a user without privileges cannot.

    Args:
      files (list[story.File]): files.

    Returns:
      str: commands of debugfs.
    """
    commands = []
    for file in files:
        mode = 0o100000 | file.mode
        if file.target is not None:
            mode = 0o120777
        elif file.data is None:
            mode = 0o040000 | file.mode

        date_time = time.strftime("%Y%m%d%H%M%S", time.gmtime(file.time))
        user_identifier, group_identifier = file.user
        for name, value in (
            ("mode", f"0{mode:o}"),
            ("uid", f"{user_identifier:d}"),
            ("gid", f"{group_identifier:d}"),
            *((name, date_time) for name in ("atime", "ctime", "crtime", "mtime")),
            *((f"{name:s}_extra", "0") for name in ("atime", "ctime", "mtime")),
        ):
            commands.append(f"set_inode_field /{file.path:s} {name:s} {value:s}\n")
    return "".join(commands)


def WriteImage(path):
    """Writes the image.

    Args:
      path (str): path of the image.

    Raises:
      FileNotFoundError: if e2fsprogs is missing.
      subprocess.CalledProcessError: if a tool of e2fsprogs fails.
    """
    files = story.Story().GetFiles()
    environment = {
        **os.environ,
        "E2FSPROGS_FAKE_TIME": f"{max(file.time for file in files):d}",
        "TZ": "UTC",
    }
    with tempfile.TemporaryDirectory() as directory:
        root = os.path.join(directory, "root")
        os.mkdir(root)
        _WriteFiles(files, root)
        commands_path = os.path.join(directory, "commands")
        with open(commands_path, "w", encoding="utf-8") as file_object:
            file_object.write(_GetCommands(files))

        if os.path.exists(path):
            os.remove(path)
        for arguments in (
            (
                "mke2fs",
                *("-q", "-t", "ext4", "-U", _UUID, "-E", f"hash_seed={_UUID:s}"),
                *("-d", root, path, _IMAGE_SIZE),
            ),
            ("debugfs", "-w", "-f", commands_path, path),
        ):
            subprocess.run(
                [_FindTool(arguments[0]), *arguments[1:]],
                capture_output=True,
                check=True,
                env=environment,
            )


def Main():
    """Runs the program.

    Returns:
      int: exit code.
    """
    argument_parser = argparse.ArgumentParser(description=__doc__)
    argument_parser.add_argument("path", help="path of the image that is written")
    options = argument_parser.parse_args()
    try:
        WriteImage(options.path)
    except subprocess.CalledProcessError as exception:
        print(exception.stderr.decode("utf-8", "replace"), end="", file=sys.stderr)
        return 1
    except OSError as exception:
        print(f"{options.path:s}: {exception!s}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(Main())
