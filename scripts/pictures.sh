#!/usr/bin/env bash
#
# Takes the pictures of the README, of the demonstration case in a Timesketch server.
#
# Usage: pictures.sh [DIRECTORY]
#
# DIRECTORY, by default docs, is where the pictures are written. All that is needed is set
# up first, but Chromium, its driver, redis-server, and e2fsprogs.

set -eu -o pipefail

source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

case "${1:-}" in
    -h | --help)
        sed -n '3,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
esac

SetUpEnvironment

"${environment_directory}/bin/python" -m pip install --quiet \
    --disable-pip-version-check \
    --requirement "${project_directory}/scripts/pictures_requirements.txt"

exec "${environment_directory}/bin/python" \
    "${project_directory}/demonstration/pictures.py" "${1:-${project_directory}/docs}"
