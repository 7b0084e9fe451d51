#!/usr/bin/env python
"""Makes the disk image of the demonstration case.

The image is the ext4 file system of a server with an intrusion. story.yaml describes
what happened there. Needed is e2fsprogs, and no privileges.
"""

import argparse
import functools
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

# pylint: disable=wrong-import-position
from demonstration import story

_IMAGE_SIZE = "16M"
_UUID = "0c5d2a9e-7f3b-4d0e-9a51-6f5f8f1c2b7d"


def _GetDateTime(timestamp):
    """Determines the date and time as debugfs reads it.

    Args:
      timestamp (int): time in seconds since the Epoch.

    Returns:
      str: date and time.
    """
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(timestamp))


def _WriteFile(file, directory):
    """Writes a file, a directory or a symbolic link.

    Args:
      file (story.File): file.
      directory (str): path of the directory that stands for the root.

    Returns:
      str: commands of debugfs that set what a user without privileges cannot, and that
          remove the file, if it was removed.
    """
    path = os.path.join(directory, file.path)
    if file.target is not None:
        os.symlink(file.target, path)
    elif file.data is None:
        os.mkdir(path)
    else:
        with open(path, "wb") as file_object:
            file_object.write(file.data)
    if file.target is None:
        os.chmod(path, file.mode)

    date_time = _GetDateTime(file.time)
    fields = {"uid": file.user[0], "gid": file.user[1]}
    fields.update(dict.fromkeys(("atime", "ctime", "crtime", "mtime"), date_time))
    fields.update(dict.fromkeys(("atime_extra", "ctime_extra", "mtime_extra"), 0))
    commands = "".join(
        f"set_inode_field /{file.path:s} {name:s} {value!s}\n"
        for name, value in fields.items()
    )
    if file.removal_time is not None:
        date_time = _GetDateTime(file.removal_time)
        commands += f"set_current_time {date_time:s}\nrm /{file.path:s}\n"
    return commands


def WriteImage(path):
    """Writes the image.

    Args:
      path (str): path of the image.

    Raises:
      FileNotFoundError: if e2fsprogs is missing.
      subprocess.CalledProcessError: if a tool of e2fsprogs fails.
    """
    files = story.Story().GetFiles()
    last_time = max(file.time for file in files)
    environment = {
        "E2FSPROGS_FAKE_TIME": f"{last_time:d}",
        # Debian has e2fsprogs where only root looks.
        "PATH": f"{os.environ.get('PATH', ''):s}:/usr/sbin:/sbin",
        "TZ": "UTC",
    }
    with tempfile.TemporaryDirectory() as directory:
        commands = "".join(_WriteFile(file, directory) for file in files)
        commands += f"set_current_time {_GetDateTime(last_time):s}\n"
        if os.path.exists(path):
            os.remove(path)
        run = functools.partial(
            subprocess.run, capture_output=True, check=True, env=environment
        )
        options = ["-q", "-t", "ext4", "-U", _UUID, "-E", f"hash_seed={_UUID:s}"]
        run(["mke2fs", *options, "-d", directory, path, _IMAGE_SIZE])
        run(["debugfs", "-w", "-f", "-", path], input=commands.encode("ascii"))


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
    except (OSError, subprocess.CalledProcessError) as exception:
        details = getattr(exception, "stderr", b"").decode("utf-8", "replace")
        print(f"{options.path:s}: {exception!s}\n{details:s}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(Main())
