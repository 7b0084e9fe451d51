#!/usr/bin/env bash
#
# Tests the package, and what data/timesketch holds, with a real Timesketch server.
#
# Usage: timesketch.sh [unittest arguments]
#        timesketch.sh --serve FILE...
#
# With --serve nothing is tested: the server imports the files, which are Plaso storage
# files, or JSON lines of psort, and runs until it is interrupted. It prints its URL, user
# and password.
#
# All that is needed is set up first, in .venv and .venv-timesketch, but jq and
# redis-server. In place of OpenSearch there is osmem, which speaks its API but is slow: a
# file should have no more than 10,000 events. All servers listen on free ports of the
# loopback interface.

set -eu -o pipefail

source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

server_directory="${project_directory}/.venv-timesketch"

SetUpServer() {
    local output program python requirements state version
    local state_file="${server_directory}/state"

    for program in jq redis-server; do
        command -v "${program}" > /dev/null || Fail \
            "${program} is missing. On Debian and Ubuntu: apt install ${program}"
    done

    python="$(FindPython)" || exit 1
    "${python}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || Fail \
        "Timesketch needs Python 3.11 or later. Say where it is: PYTHON=/path/to/python3 $0"
    requirements="${project_directory}/scripts/timesketch_requirements.txt"
    state="$(
        "${python}" -c 'import sys; print(sys.base_prefix, sys.version)'
        cksum "${requirements}"
    )"
    if [ "$(cat "${state_file}" 2> /dev/null)" = "${state}" ]; then
        return
    fi

    echo "Setting up ${server_directory}, this takes a minute or two." >&2

    "${python}" -m venv --clear "${server_directory}" || Fail \
        "No virtual environment. On Debian and Ubuntu it needs: apt install python3-venv"

    output="$(
        exec 2>&1
        cd "${server_directory}"
        # The wheel names no requirements and lacks the configuration files.
        version="$(sed -n 's/^timesketch==//p' "${requirements}")"
        bin/python -m pip download --quiet --disable-pip-version-check --no-deps \
            --no-binary timesketch "timesketch==${version}"
        tar xzf "timesketch-${version}.tar.gz"
        mv "timesketch-${version}" source
        bin/python -m pip install --quiet --disable-pip-version-check \
            --requirement source/requirements.txt --requirement "${requirements}"
    )" || {
        echo "${output}" >&2
        Fail "Installing into ${server_directory} failed, see above."
    }

    # Comes last, so that what was interrupted is made again.
    echo "${state}" > "${state_file}"
}

case "${1:-}" in
    -h | --help)
        sed -n '3,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    --serve)
        shift
        [ "$#" -gt 0 ] || Fail "Name the files to serve: $0 --serve FILE..."
        for path in "$@"; do
            [ -f "${path}" ] || Fail "No such file: ${path}"
            case "${path}" in
                *.csv | *.jsonl | *.plaso) ;;
                *) Fail "Timesketch takes .plaso, .jsonl and .csv files, not: ${path}" ;;
            esac
        done
        SetUpServer
        export PYTHONPATH="${project_directory}"
        exec "${server_directory}/bin/python" -m tests.lib.timesketch_server "$@"
        ;;
esac

SetUpEnvironment
SetUpServer

cd "${project_directory}"
export PLASO_ATOP_TOOLS="${environment_directory}/bin"
exec "${server_directory}/bin/python" -m unittest -v "${@:-tests.timesketch}"
