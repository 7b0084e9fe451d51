"""Celery worker that runs the tools of Plaso, in the way that OpenRelik's does.

It is run outside of the source tree and knows nothing of plaso_atop: it lists the
    parsers
of Plaso when it is imported, and calls the tools as programs.
"""

import os
import subprocess

import celery

from plaso.parsers import manager

# What a user can choose from.
PARSERS = sorted(
    {name for name, _ in manager.ParsersManager.GetParsersInformation()}.union(
        f"{parser_name:s}/{plugin_name:s}"
        for parser_name in manager.ParsersManager.GetNamesOfParsersWithPlugins()
        for plugin_name, _ in manager.ParsersManager.GetParserPluginsInformation(
            parser_filter_expression=parser_name
        )
    )
)

REDIS_URL = os.getenv("REDIS_URL")

app = celery.Celery(broker=REDIS_URL, backend=REDIS_URL)


def _RunTool(name, output_path, *arguments):
    """Runs a tool of Plaso.

    Args:
      name (str): name of the tool.
      output_path (str): path of what it writes.
      arguments (list[str]): arguments.
    """
    subprocess.run(
        [
            name,
            "--quiet",
            "--unattended",
            "--logfile",
            f"{output_path:s}.log.gz",
            "--status-view",
            "file",
            "--status-view-file",
            f"{output_path:s}.status",
            *arguments,
        ],
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )


@app.task(name="log2timeline", metadata={"parsers": PARSERS})
def Log2timeline(source_path, storage_path):
    """Extracts events.

    Args:
      source_path (str): path of the source.
      storage_path (str): path of the storage file.

    Returns:
      str: path of the storage file.
    """
    _RunTool(
        "log2timeline",
        storage_path,
        "--partitions",
        "all",
        "--volumes",
        "all",
        "--storage-file",
        storage_path,
        source_path,
    )
    return storage_path


@app.task(name="psort")
def Psort(storage_path, output_path):
    """Writes events as JSON lines.

    Args:
      storage_path (str): path of the storage file.
      output_path (str): path of the output.

    Returns:
      str: path of the output.
    """
    _RunTool("psort", output_path, "-o", "json_line", "-w", output_path, storage_path)
    return output_path
