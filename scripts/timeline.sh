#!/usr/bin/env bash
#
# Shows the timeline of an atop log, a disk image or a directory.
#
# Usage: timeline.sh [SOURCE [FILTER]] [psort options]
#
# SOURCE is by default a log of test_data, FILTER is one of psort. All that is needed is set
# up first, in .venv.

set -eu -o pipefail

source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

source_path="${project_directory}/test_data/atop-2.12.1.raw"
case "${1:-}" in
    -h | --help)
        sed -n '3,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    "" | -*) ;;
    *)
        source_path="$1"
        shift
        ;;
esac
[ -e "${source_path}" ] || Fail "No such source: ${source_path}"

SetUpEnvironment

temporary_directory="$(mktemp -d)"
trap 'rm -rf "${temporary_directory}"' EXIT

# RunTool NAME [arguments]: shows what the tool printed only where it failed.
RunTool() {
    local name="$1"
    shift
    if ! "${environment_directory}/bin/${name}" --quiet --unattended --status_view none \
        --logfile "${temporary_directory}/${name}.log" "$@" \
        > "${temporary_directory}/output" 2>&1; then
        cat "${temporary_directory}/output" >&2
        Fail "${name} failed, see above."
    fi
}

RunTool log2timeline --partitions all --volumes all --vss_stores none \
    --storage_file "${temporary_directory}/timeline.plaso" "${source_path}"

# Options of the caller come last and win.
RunTool psort -o dynamic --fields datetime,timestamp_desc,hostname,username,message \
    -w "${temporary_directory}/timeline.csv" "${temporary_directory}/timeline.plaso" "$@"

# Not there where the caller has the timeline written elsewhere.
if [ -f "${temporary_directory}/timeline.csv" ]; then
    cat "${temporary_directory}/timeline.csv"
fi
