"""What the path of a control group says of the processes in it.

Knows nothing of Plaso.
"""

import collections
import functools
import re

Origin = collections.namedtuple("Origin", ["session", "unit", "container"])
Origin.__doc__ = """Origin of the processes in a control group, each None if not known.

session (bytes): identifier of the login session, which systemd-logind gave it.
unit (bytes): name of the service or scope of systemd, which is no login session.
container (bytes): identifier of the container.
"""

# The names that systemd and container runtimes give. conmon is not in the container
# that it watches.
_CONTAINER_RE = re.compile(rb"^(?:(?!.*conmon).+[-:])?([0-9a-f]{64})(?:\.scope)?$")
_RUNTIME_RE = re.compile(
    rb"/(?:docker|kubepods|libpod|lxc|crio|containerd|machine\.slice|buildkit)"
    rb"|[-/](?:docker|libpod|crio|cri-containerd)-|/lxc\."
)
_SESSION_RE = re.compile(rb"^session-(.+)\.scope$")
_UNIT_SUFFIXES = (b".scope", b".service")

# Units of which the child processes are in units or sessions of their own. The daemon
# is crond where its jobs have sessions, as on Red Hat and Arch Linux. Those of Debian's
# cron have none.
_MANAGER_UNITS = frozenset((b"crond.service", b"cronie.service", b"init.scope"))


@functools.lru_cache(maxsize=1024)
def GetOrigin(path, is_cut=False):
    """Determines the origin of the processes in a control group.

    Source: systemd's cgroup interfaces, and the paths that Docker, containerd, CRI-O
    and Podman create.

    Args:
      path (bytes): path of the control group.
      is_cut (Optional[bool]): True if the end of the path, and with it its last
          component, is not known.

    Returns:
      Origin: origin. Where the path has several of a kind it is the last one.
    """
    session = unit = container = None
    components = path.split(b"/")
    if is_cut:
        components.pop()

    for component in components:
        match = _SESSION_RE.search(component)
        if match:
            session = match[1]
        elif component.endswith(_UNIT_SUFFIXES):
            unit = component

        match = _CONTAINER_RE.search(component)
        if match:
            container = match[1]

    return Origin(session, unit, container)


def IsOfContainer(path):
    """Determines if a container runtime created a control group.

    A runtime also has some for itself, and not all have the identifier of a container.
    One with such an identifier can have any name above it.

    Args:
      path (bytes): path of the control group.

    Returns:
      bool: True if a container runtime created it.
    """
    return bool(_RUNTIME_RE.search(path) or GetOrigin(path).container)


def IsOfManager(path):
    """Determines if a control group is that of systemd itself, or of its like.

    Its children are in the control groups of their units, or of their sessions.

    Args:
      path (bytes): path of the control group.

    Returns:
      bool: True if it is that of systemd, for the system or for a user, or that of a
          daemon that gives each of its jobs a session.
    """
    return path.rpartition(b"/")[2] in _MANAGER_UNITS
