"""Types of files that are not read, as some of them have no end."""

import stat

_NAMES = {
    stat.S_IFBLK: "block device",
    stat.S_IFCHR: "character device",
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
}


def GetName(mode):
    """Retrieves the name of the type of a file.

    Args:
      mode (int): mode of a file that is neither a regular one nor a directory.

    Returns:
      str: name.
    """
    return _NAMES.get(stat.S_IFMT(mode), "special file")
