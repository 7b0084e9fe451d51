#!/usr/bin/env bash
#
# Runs the tests.
#
# Usage: test.sh [pytest arguments]
#
# All that is needed is set up first, in .venv.

set -eu -o pipefail

source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

SetUpEnvironment

cd "${project_directory}"
exec "${environment_directory}/bin/python" -m pytest "$@"
