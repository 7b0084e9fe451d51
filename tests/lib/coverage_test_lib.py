"""Logs of several days, for testing what they cover."""

import calendar
import functools
import os
import subprocess

from plaso_atop import rawlog

import log_builder
from tests.lib import test_lib

INTERVAL = 600

# Samples are taken five seconds after those minutes that have a round number.
SECOND = 5

BOOT_TIME = calendar.timegm((2026, 9, 1, 0, 0, 0))


def GetTime(day, hour=0, minute=0):
    """Retrieves a time in the week in which daylight saving ends in Europe.

    Args:
      day (int): day of October 2026.
      hour (Optional[int]): hour.
      minute (Optional[int]): minute.

    Returns:
      int: seconds since the Epoch of that UTC.
    """
    return calendar.timegm((2026, 10, day, hour, minute, 0))


def GetMidnight(day):
    """Retrieves midnight in Berlin.

    Args:
      day (int): day of October 2026.

    Returns:
      int: seconds since the Epoch.
    """
    return GetTime(day) - (7200 if day <= 25 else 3600)


def GetRun(start, end, boot_time=BOOT_TIME, interval=INTERVAL, flags=0):
    """Retrieves the samples of a run.

    Args:
      start (int): time of the first sample.
      end (int): time before which the last sample is.
      boot_time (Optional[int]): time at which the system was started.
      interval (Optional[int]): interval.
      flags (Optional[int]): flags of all samples.

    Returns:
      tuple[tuple[int, int, int, int]]: times, intervals, flags and numbers of exits.
    """
    samples = [
        (time, interval, flags, 1 if flags else 0)
        for time in range(start, end, interval)
    ]
    samples[0] = (start, start - boot_time, flags | rawlog.FLAG_BOOT, samples[0][3])
    return tuple(samples)


def GetDay(day, flags=0):
    """Retrieves the samples of a day, from midnight to midnight in Berlin.

    Args:
      day (int): day of October 2026.
      flags (Optional[int]): flags of all samples.

    Returns:
      tuple[tuple[int, int, int, int]]: times, intervals, flags and numbers of exits.
    """
    return GetRun(GetMidnight(day) + SECOND, GetMidnight(day + 1), flags=flags)


@functools.lru_cache(maxsize=None)
def BuildSamples(samples, version):
    """Builds samples.

    Args:
      samples (tuple[tuple[int, int, int, int]]): times, intervals, flags and numbers of
          exits.
      version (str): version of atop.

    Returns:
      bytes: data of the samples.
    """
    builder = log_builder.LogBuilder(version=version)
    size = len(builder.Build())
    tasks = [{"gen.pid": 100, "gen.tgid": 100, "gen.isproc": 1, "gen.state": b"E"}]
    for curtime, interval, flags, number_of_exits in samples:
        builder.AddSample(
            curtime,
            interval=interval,
            flags=flags,
            system=b"\x00" * builder.layout.sstat.size,
            tasks=tasks[:number_of_exits],
        )
    return builder.Build()[size:]


def BuildLog(hostname, samples, version="2.12"):
    """Builds a log.

    Args:
      hostname (str): name of the host.
      samples (tuple[tuple[int, int, int, int]]): times, intervals, flags and numbers of
          exits.
      version (Optional[str]): version of atop.

    Returns:
      bytes: contents of the file.
    """
    builder = log_builder.LogBuilder(
        version=version,
        utsname={"nodename": hostname.encode("ascii"), "release": b"6.1.0"},
    )
    return builder.Build() + BuildSamples(samples, version)


def MakeImage(directory):
    """Makes an image with a file system.

    Args:
      directory (str): path of the directory with the files.

    Returns:
      str: path of the image, which is beside the directory.
    """
    path = f"{directory:s}.raw"
    mke2fs = test_lib.FindProgram("mke2fs")
    subprocess.run(
        [mke2fs, "-q", "-t", "ext4", "-d", directory, path, "64M"],
        check=True,
        capture_output=True,
    )
    return path


def WriteLog(directory, name, data, time):
    """Writes a log where the scripts of atop write it.

    Args:
      directory (str): path of the directory that stands for the root.
      name (str): name of the file.
      data (bytes): contents of the file.
      time (int): time of the last change.
    """
    path = os.path.join(directory, "var", "log", "atop", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file_object:
        file_object.write(data)
    os.utime(path, (time, time))
