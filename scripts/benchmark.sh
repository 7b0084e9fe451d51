#!/usr/bin/env bash
#
# Runs the benchmarks, which takes 40 minutes on a machine that does nothing else.
#
# Usage: benchmark.sh [--days DAYS] [--runs RUNS] [BENCHMARK ...]
#
# All that is needed is set up first, in .venv-benchmarks, where the package is installed
# as a user has it. atop and mke2fs are used where they are installed.

set -eu -o pipefail

source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

environment_directory="${project_directory}/.venv-benchmarks"
requirements_file="${project_directory}/benchmarks/requirements.txt"
package_options=("${project_directory}")

SetUpEnvironment

# The checkout may have changed since.
"${environment_directory}/bin/python" -m pip install --quiet \
    --disable-pip-version-check --force-reinstall --no-deps "${package_options[@]}"

cd "${project_directory}"
exec "${environment_directory}/bin/python" -m benchmarks "$@"
