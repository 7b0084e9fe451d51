"""Ancestors of processes, as far as a log shows them.

Knows nothing of Plaso.
"""

import re

from plaso_atop import text

# A text has no more than these.
MAXIMUM_NUMBER = 16
MAXIMUM_LENGTH = 512

_OMITTED = "..."
_SEPARATOR = " > "

# Programs of a login daemon, that of a connection included. OpenSSH before 9.8 has one
# program for both.
_DAEMONS = frozenset((b"dropbear", b"sshd", b"sshd-session"))
_LISTENERS = frozenset((b"dropbear", b"sshd"))

_LOGIN = b"login"

# Command lines of a connection that no listening daemon accepted, or whose one is gone:
# the title that sshd gives itself, and the option to be started per connection.
_CONNECTION_RE = re.compile(
    rb"^sshd(?:-session)?: (?!.*\[listener\])"
    rb"|^(?:[^ ]*/)?(?:dropbear|sshd)(?: [^ ]+)* -[A-Za-z]*i(?: |$)"
)


class Ancestor:
    """Process, as far as its descendants need it.

    It is kept as long as the process itself or a descendant is.

    Attributes:
      login_pid (int): identifier of the process that a login daemon logs: of the one
          that serves the connection, or of login. None if there is none or if it is not
          known.
      name (bytes): name of the process in the last sample, None if only its identifier
          is known.
      number_of_references (int): number of processes that need it, itself included, as
          far as these keep it.
      parent (Ancestor): parent process, None if there is none.
      pid (int): process identifier.
    """

    __slots__ = ("login_pid", "name", "number_of_references", "parent", "pid")

    # Sizes in memory in bytes: of the object, and of its values, which the process has
    # too as long as that is remembered.
    SIZE = 80
    VALUES_SIZE = 80

    def __init__(self, pid, name=None):
        """Initializes an ancestor.

        Args:
          pid (int): process identifier.
          name (Optional[bytes]): name of the process.
        """
        self.login_pid = None
        self.name = name
        self.number_of_references = 0
        self.parent = None
        self.pid = pid

    @property
    def is_listener(self):
        """bool: True if this is a login daemon that waits for connections."""
        return (
            self.name in _LISTENERS
            and self.login_pid != self.pid
            and (
                self.parent is None
                or self.parent.name is not None
                and self.parent.name not in _DAEMONS
            )
        )

    def GetText(self):
        """Retrieves the ancestors of the process, with the names that they have now.

        Returns:
          str: ancestors, the root first: "systemd[1] > sshd[607]". One whose name is
              not known is "[607]". At most MAXIMUM_NUMBER of them and MAXIMUM_LENGTH
              characters: where some are left out, from the root on, it begins with
              "... > ". Empty if there are none.
        """
        seen = {self}
        names = []
        ancestor = self.parent
        while ancestor not in seen and ancestor and len(names) < MAXIMUM_NUMBER:
            # What stands between two ancestors is in no name.
            name = text.Escape(ancestor.name or b"").replace(">", "\\x3e")
            names.append(f"{name:s}[{ancestor.pid:d}]")
            seen.add(ancestor)
            ancestor = ancestor.parent

        names.reverse()
        if ancestor and ancestor not in seen:
            names.insert(0, _OMITTED)

        value = _SEPARATOR.join(names)
        while len(value) > MAXIMUM_LENGTH:
            names = [_OMITTED, *names[2 if names[0] == _OMITTED else 1 :]]
            value = _SEPARATOR.join(names)
        return value

    def Release(self):
        """Gives up one of the processes that need it.

        Returns:
          int: number of ancestors, itself included, that nothing needs any more.
        """
        number_of_ancestors = 0
        ancestor = self
        while ancestor:
            ancestor.number_of_references -= 1
            if ancestor.number_of_references:
                break
            number_of_ancestors += 1
            ancestor = ancestor.parent
        return number_of_ancestors

    def SetLogin(self, cmdline):
        """Determines by which login the process was started, once its parent is known.

        Source: where sshd, dropbear and login log a login, and pam_unix the session.

        Args:
          cmdline (bytes): command line.
        """
        parent = self.parent
        self.login_pid = parent and parent.login_pid
        if self.name == _LOGIN:
            self.login_pid = self.pid
        elif self.name in _DAEMONS:
            if parent and parent.name in _DAEMONS:
                is_login = parent.is_listener
            else:
                # Who the parent of a connection is must be known: a process of the user
                # has such a title, too.
                is_unknown = parent and parent.name is None
                is_login = not is_unknown and _CONNECTION_RE.search(cmdline)
            if is_login:
                self.login_pid = self.pid

    def SetExitName(self, name):
        """Sets the name that the process has at its exit.

        Args:
          name (bytes): name.
        """
        if name == _LOGIN:
            # getty becomes login.
            self.login_pid = self.pid

    def SetName(self, name):
        """Sets the name of the process.

        Args:
          name (bytes): name.
        """
        self.name = name
        self.SetExitName(name)

    def SetParent(self, parent):
        """Sets the parent process, which is kept from now on.

        Args:
          parent (Ancestor): parent process, None to give it up.
        """
        if self.parent:
            self.parent.number_of_references -= 1
        if parent:
            parent.number_of_references += 1
        self.parent = parent
