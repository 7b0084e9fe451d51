"""Measures how fast carve searches an image, beside other programs that read it.

An image of zeros, of random bytes, of zlib streams as version control and packages have
them, of pictures, and of logs. The start of the programs is included.
"""

import os
import shutil
import struct
import sys
import tempfile
import zlib

from benchmarks.lib import processes
from benchmarks.lib import report

import log_builder

MINIMUM_SPEED = 300
MAXIMUM_SLOWDOWN = 2
MAXIMUM_MEMORY = 100

_SIZE = 512 * 1024 * 1024

_BLOCK_SIZE = 4096

# Foremost looks for the signature at every offset, and writes the first bytes behind.
_FOREMOST_CONFIGURATION = (
    "atop y 480 \\xef\\xbe\\xed\\xfe\natop y 480 \\xfe\\xed\\xbe\\xef\n"
)


def _GetFiles():
    """Retrieves files to compress: the modules of Python.

    Yields:
      bytes: contents.
    """
    directory = os.path.dirname(os.__file__)
    for name in sorted(os.listdir(directory)):
        if name.endswith(".py"):
            with open(os.path.join(directory, name), "rb") as file_object:
                yield file_object.read()


def _MakeLogs():
    """Makes logs.

    Returns:
      bytes: logs, each at the start of a block.
    """
    logs = []
    for index in range(10):
        builder = log_builder.LogBuilder()
        for number in range(20):
            builder.AddSample(
                log_builder.T0 + 86400 * index + 600 * number,
                tasks=[
                    {"gen.pid": pid, "gen.cmdline": os.urandom(100)}
                    for pid in range(100)
                ],
            )
        logs.append(builder.Build())
    return b"".join(map(_Pad, logs))


def _MakePictures():
    """Makes pictures in the format PNG.

    Returns:
      bytes: pictures, each at the start of a block.
    """
    pictures = []
    for contents in _GetFiles():
        chunks = [b"\x89PNG\r\n\x1a\n"]
        for name, data in (
            (b"IHDR", struct.pack(">2I5B", 64, 64, 8, 2, 0, 0, 0)),
            (b"IDAT", zlib.compress(contents, 9)),
            (b"IEND", b""),
        ):
            chunks.append(struct.pack(">I", len(data)) + name + data)
            chunks.append(struct.pack(">I", zlib.crc32(name + data)))
        pictures.append(b"".join(chunks))
    return b"".join(map(_Pad, pictures))


def _MakeStreams():
    """Makes zlib streams.

    Returns:
      bytes: streams, one after the other.
    """
    return b"".join(map(zlib.compress, _GetFiles()))


def _Pad(data):
    """Fills the last block of a file.

    Args:
      data (bytes): file.

    Returns:
      bytes: file with zeros behind.
    """
    return data.ljust(-(-len(data) // _BLOCK_SIZE) * _BLOCK_SIZE, b"\x00")


_KINDS = {
    "zeros": lambda: bytes(1 << 20),
    "random bytes": None,
    "zlib streams": _MakeStreams,
    "pictures": _MakePictures,
    "logs": _MakeLogs,
}


def _WriteImage(path, make):
    """Writes an image.

    Args:
      path (str): path.
      make (function): function that makes what is repeated, None for random bytes.
    """
    data = make() if make else None
    with open(path, "wb") as file_object:
        size = 0
        while size < _SIZE:
            size += file_object.write((data or os.urandom(1 << 20))[: _SIZE - size])


def _GetCommands(directory):
    """Retrieves what is measured.

    Args:
      directory (str): path of a directory for what the programs write.

    Returns:
      dict[str, list[str]]: programs with their arguments, but for the path of the
          image, per name.
    """
    output = os.path.join(directory, "output")
    commands = {
        "plaso-atop carve": [
            *(sys.executable, "-m", "plaso_atop", "carve", "--output", output)
        ],
        "sha256sum": ["sha256sum"],
    }
    if shutil.which("foremost"):
        path = os.path.join(directory, "foremost.conf")
        with open(path, "w", encoding="ascii") as file_object:
            file_object.write(_FOREMOST_CONFIGURATION)
        commands["foremost for the signature"] = ["foremost", "-Q", "-c", path]
        commands["foremost for the signature"] += ["-o", output, "-i"]
    return commands


def Run(options):
    """Runs the benchmark.

    Args:
      options (argparse.Namespace): options.

    Returns:
      list[report.Target]: targets.
    """
    targets = []
    speeds = {}
    memory = 0
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "image")
        commands = _GetCommands(directory)
        for kind, make in _KINDS.items():
            _WriteImage(path, make)
            measured = {name: [] for name in commands}
            for _ in range(options.runs):
                for name, arguments in commands.items():
                    usage = processes.Measure([*arguments, path], directory, True)
                    measured[name].append(usage.cpu_time)
                    if name == "plaso-atop carve":
                        memory = max(memory, usage.main_memory)
                    shutil.rmtree(os.path.join(directory, "output"), True)

            rows = []
            for name, values in measured.items():
                speed = _SIZE / 1e6 / report.GetMedian(values)
                ratio = report.GetRatio(values, measured["plaso-atop carve"])
                rows.append((name, speed, ratio if rows else None))
            speeds[kind] = rows[0][1]
            report.PrintTable(
                f"Searching {_SIZE >> 20:d} MiB of {kind:s}, CPU time",
                ["MB/s", "times ours"],
                rows,
            )

    for kind in ("zeros", "random bytes"):
        targets.append(
            report.Target(
                f"carve searches {speeds[kind]:.0f} MB of {kind:s} per second of CPU "
                f"time, at least {MINIMUM_SPEED:d}",
                speeds[kind] >= MINIMUM_SPEED,
            )
        )
    for kind in ("zlib streams", "pictures"):
        slowdown = speeds["random bytes"] / speeds[kind]
        targets.append(
            report.Target(
                f"carve searches {kind:s} {slowdown:.1f} times slower than random "
                f"bytes, at most {MAXIMUM_SLOWDOWN:d}",
                slowdown <= MAXIMUM_SLOWDOWN,
            )
        )
    targets.append(
        report.Target(
            f"carve takes {memory / (1 << 20):.0f} MiB, at most {MAXIMUM_MEMORY:d}",
            memory <= MAXIMUM_MEMORY << 20,
        )
    )
    return targets


if __name__ == "__main__":
    sys.exit(report.Main(Run, __doc__))
