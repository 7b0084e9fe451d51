#!/usr/bin/env python
"""Reads many mutated logs, and says what went wrong.

With --log2timeline the logs are written to a directory, together with whole ones, and
log2timeline reads them all in one run. With --garbage logs with garbage that looks like
samples are read instead, and what was found behind it is printed as a table.
"""

import argparse
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

# pylint: disable=wrong-import-position
from tests.lib import garbage
from tests.lib import mutations
from tests import rawlog_fuzz
from tests import rawlog_garbage
from tests.lib import test_lib

# Bytes of garbage before 1,600 samples, of 11 MB together.
GARBAGE_SIZES = (15386, 64 * 1024, 1000000, 10000000)

# A mutated log of 50 KB that takes longer is one that hangs.
TIME_LIMIT_SECONDS = 20


def RunGarbage():
    """Reads logs with garbage that looks like samples.

    Returns:
      int: number of logs that hide more, or take longer, than they may.
    """
    failed = 0
    print(f"|      size | kind{'':36s} | hidden |  CPU s | at most |")
    print(f"| --------: | {'-' * 40:s} | -----: | -----: | ------: |")
    for size in GARBAGE_SIZES:
        for kind in garbage.KINDS:
            result = rawlog_garbage.ReadGarbage(kind, size, 1600)
            maximum_time = 10 + 2 * result.file_size / 1e6
            print(
                f"| {size:9d} | {kind:40s} | {result.hidden:6d} | {result.time:6.2f} | "
                f"{maximum_time:7.1f} |",
                flush=True,
            )
            maximum_size = 0 if size <= 64 * 1024 else size
            failed += result.hidden_size > maximum_size or result.time > maximum_time

    print(f"{failed:d} failed")
    return failed


def RunReader(first_seed, count):
    """Reads mutated logs with the reader and the parser.

    Args:
      first_seed (int): seed of the first log.
      count (int): number of logs.

    Returns:
      int: number of logs that failed.
    """
    rawlog_fuzz.MutatedLogTest.setUpClass()
    test = rawlog_fuzz.MutatedLogTest("CheckLog")
    test.CheckLog(first_seed)
    start_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start_time = time.monotonic()
    slowest = (0.0, first_seed)
    failed = 0

    for seed in range(first_seed, first_seed + count):
        signal.alarm(TIME_LIMIT_SECONDS)
        seed_time = time.monotonic()
        try:
            test.CheckLog(seed)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"seed {seed:d}:")
            traceback.print_exc(limit=-3, file=sys.stdout)
        signal.alarm(0)
        slowest = max(slowest, (time.monotonic() - seed_time, seed))

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start_memory
    print(
        f"{count:d} logs in {time.monotonic() - start_time:.0f} s: {failed:d} failed, "
        f"slowest {slowest[0]:.2f} s (seed {slowest[1]:d}), memory grew by "
        f"{memory / 1024:.1f} MiB"
    )
    return failed


def RunLog2Timeline(first_seed, count):
    """Reads mutated logs, and whole ones beside them, with log2timeline.

    Args:
      first_seed (int): seed of the first log.
      count (int): number of logs.

    Returns:
      int: number of things that failed.
    """
    # Not needed by what runs without Plaso's storage.
    # pylint: disable=import-outside-toplevel
    from plaso.storage import factory

    originals = mutations.ReadOriginals()
    numbers_of_events = []
    for is_mutated in (False, True):
        with tempfile.TemporaryDirectory() as directory:
            source = os.path.join(directory, "source")
            os.mkdir(source)
            for log in test_lib.LOGS:
                os.symlink(log.path, os.path.join(directory, log.name))
                with open(log.path, "rb") as file_object:
                    data = file_object.read()
                with open(os.path.join(source, f"good-{log.name:s}"), "wb") as output:
                    output.write(data)

            for seed in range(first_seed, first_seed + count if is_mutated else 0):
                mutator = mutations.Mutator(originals, random.Random(seed))
                data, _ = mutator.Mutate()
                with open(os.path.join(source, f"mutated-{seed:d}"), "wb") as output:
                    output.write(data)

            storage_path = os.path.join(directory, "storage.plaso")
            start_time = time.monotonic()
            process = subprocess.run(
                [sys.executable, "-m", "plaso.scripts.log2timeline", "--unattended"]
                + ["--status_view", "none", "--parsers", "atop", "--logfile"]
                + [os.path.join(directory, "log.gz"), "--storage_file", storage_path]
                + [source],
                check=False,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            seconds = time.monotonic() - start_time

            reader = factory.StorageFactory.CreateStorageReaderForFile(storage_path)
            names = {
                stream.GetIdentifier().CopyToString(): os.path.basename(
                    stream.path_spec.location
                )
                for stream in reader.GetAttributeContainers("event_data_stream")
            }
            counts = {}
            for event_data in reader.GetAttributeContainers("event_data"):
                identifier = event_data.GetEventDataStreamIdentifier()
                name = names[identifier.CopyToString()]
                if event_data.data_type.startswith("linux:atop:"):
                    counts[name] = counts.get(name, 0) + 1
            warnings = [
                warning.message
                for warning in reader.GetAttributeContainers("extraction_warning")
            ]
            reader.Close()

        numbers_of_events.append(counts)

    # pylint: disable-next=unbalanced-tuple-unpacking
    good_counts, counts = numbers_of_events
    lost = [name for name, number in good_counts.items() if counts.get(name) != number]
    failures = [message for message in warnings if "unable to" in message]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"{count:d} logs in {seconds:.0f} s: exit code {process.returncode:d}, "
        f"tracebacks: {process.stdout.count('Traceback'):d}, events: "
        f"{sum(counts.values()):d}, warnings: {len(warnings):d}, failures: "
        f"{len(failures):d}, whole logs with other events: {len(lost):d} of "
        f"{len(good_counts):d}, peak memory of a process: {peak:.0f} MiB"
    )
    for message in failures[:10]:
        print(message)
    return (
        len(lost) + len(failures) + process.returncode + ("Traceback" in process.stdout)
    )


def Main():
    """Runs the program.

    Returns:
      int: exit code.
    """
    argument_parser = argparse.ArgumentParser(description=__doc__)
    argument_parser.add_argument("--count", default=10000, type=int)
    argument_parser.add_argument("--garbage", action="store_true")
    argument_parser.add_argument("--log2timeline", action="store_true")
    argument_parser.add_argument("--seed", default=0, type=int)
    arguments = argument_parser.parse_args()

    if arguments.garbage:
        return 1 if RunGarbage() else 0

    function = RunLog2Timeline if arguments.log2timeline else RunReader
    return 1 if function(arguments.seed, arguments.count) else 0


if __name__ == "__main__":
    sys.exit(Main())
