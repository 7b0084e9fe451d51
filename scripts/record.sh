#!/usr/bin/env bash
#
# Records a log of the test data: a small workload, seen by some version of atop.
#
# Usage: record.sh ATOP NAME
#
# ATOP is the atop to record with. The log is NAME.raw, what ATOP prints of it is
# NAME.parseable.gz. It takes root, setpriv and unshare of util-linux, Python and 10
# seconds, and does not need plaso_atop. The log shows the processes of the workload alone:
# they have namespaces of their own for process identifiers, control groups, network, name
# of the host and IPC. It does show the kernel, CPUs, memory and disks of the machine.

set -eu -o pipefail

INTERVAL=1

# The workload runs from a directory that exists only for it, so that no path of the
# machine is in the log.
DIRECTORY=/srv

# Runs in the namespaces, as a process that becomes the init process.
Prepare() {
    local directory

    hostname recorder
    ip link set lo up 2> /dev/null || true

    # The process accounting of this atop is not that of another one.
    mount --bind "${RECORD_DIRECTORY}" "${DIRECTORY}"
    for directory in /run /tmp /var/cache; do
        mount -t tmpfs tmpfs "${directory}"
    done

    # Control groups above this one are those of the machine, and atop takes those of
    # version 1 for those of version 2.
    mount -t cgroup2 cgroup2 /sys/fs/cgroup

    cd "${DIRECTORY}"
    exec bash "${DIRECTORY}/init" --record
}

# Processes that live as long as the log.
StartLongProcesses() {
    local user
    for user in 33 1005 65534; do
        setpriv --reuid "${user}" --regid "${user}" --clear-groups sleep 39 &
    done

    # Names and command lines that are hard to print.
    (exec -a $'na\u00efve-\u20ac' sleep 39) &
    (exec -a $'escape-\e[31mred' sleep 39) &
    (exec -a $'tab\tnewline\n' sleep 39) &
    (exec -a '[kworker/u8:3-events]' sleep 39) &
    (exec -a "$(printf 'L%.0s' {1..400})" sleep 39) &
    python3 -c 'import os; os.execv("/bin/sleep", ["sleep", "39"])' ') S 1 1 (' &

    # Threads, a zombie, and a process without its parent.
    python3 -c 'if True:
        import threading, time
        for _ in range(5):
            threading.Thread(target=time.sleep, args=(39,), daemon=True).start()
        time.sleep(39)' &
    python3 -c 'if True:
        import os, time
        if not os.fork():
            os._exit(7)
        time.sleep(39)' &
    (sleep 39 &)
}

# Processes that are others in the second half of the log.
StartChangingProcesses() {
    python3 -c 'if True:
        import os, time
        time.sleep(4.5)
        os.execv("/bin/sleep", ["nginx: worker process", "39"])' &
    python3 -c 'if True:
        import time
        time.sleep(4.5)
        with open("/proc/self/comm", "w") as file_object:
            file_object.write("systemd-resolve")
        time.sleep(39)' &
    python3 -c 'if True:
        import os, time
        time.sleep(4.5)
        os.setgid(65534)
        os.setuid(65534)
        time.sleep(39)' &
}

# Processes that use CPU, memory, disks and network.
StartBusyProcesses() {
    python3 -c 'if True:
        import time
        memory = bytearray(28 << 20)
        end_time = time.time() + 9
        while time.time() < end_time:
            sum(range(10000))
            time.sleep(0.001)' &
    python3 -c 'if True:
        import socket, time
        server = socket.create_server(("127.0.0.1", 0))
        while True:
            client = socket.create_connection(server.getsockname())
            connection, _ = server.accept()
            client.sendall(bytes(1 << 16))
            connection.recv(1 << 16)
            client.close()
            connection.close()
            time.sleep(0.1)' 2> /dev/null &
    while :; do
        dd if=/dev/zero of="${DIRECTORY}/data" bs=64k count=16 conv=fsync 2> /dev/null
        sleep 0.7
    done &
}

# Processes that are gone before the next sample: exit codes and signals.
RunShortProcesses() {
    local code
    while :; do
        for code in 0 1 3 127; do
            sh -c "exit ${code}" || true
        done
        for code in 9 11 15; do
            sh -c "kill -${code} \$\$" 2> /dev/null || true
        done
        python3 -c 'pass'
        sleep 0.3
    done
}

Record() {
    StartLongProcesses
    StartChangingProcesses
    StartBusyProcesses
    RunShortProcesses 2> /dev/null &
    sleep 1

    # The second run appends to the log of the first one.
    "${DIRECTORY}/atop" -w "${DIRECTORY}/log.raw" "${INTERVAL}" 5
    "${DIRECTORY}/atop" -w "${DIRECTORY}/log.raw" "${INTERVAL}" 3

    TZ=UTC "${DIRECTORY}/atop" -r "${DIRECTORY}/log.raw" -P ALL \
        | gzip --no-name --best > "${DIRECTORY}/log.parseable.gz"
}

case "${1:-}" in
    --prepare) Prepare ;;
    --record) Record ;;
    *)
        if [ "$#" -ne 2 ]; then
            sed -n '3,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 1
        fi
        if [ "$(id -u)" -ne 0 ]; then
            echo "Namespaces and process accounting need root." >&2
            exit 1
        fi

        RECORD_DIRECTORY="$(mktemp -d)"
        export RECORD_DIRECTORY
        trap 'rm -rf "${RECORD_DIRECTORY}"' EXIT
        cp "$1" "${RECORD_DIRECTORY}/atop"
        cp "${BASH_SOURCE[0]}" "${RECORD_DIRECTORY}/init"

        # Programs of the system alone, not those of the user's environment.
        PATH=/usr/sbin:/usr/bin:/sbin:/bin \
            unshare --cgroup --fork --ipc --kill-child --mount --mount-proc --net --pid \
            --uts bash "${RECORD_DIRECTORY}/init" --prepare

        for extension in raw parseable.gz; do
            cp "${RECORD_DIRECTORY}/log.${extension}" "$2.${extension}"
        done
        ;;
esac
