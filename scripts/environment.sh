# The virtual environment of the checkout, sourced by the other scripts.
#
# Sets project_directory and what a script can change: environment_directory,
# requirements_file, and package_options, with which pip installs the package.
# SetUpEnvironment makes the environment where it is missing or outdated, and otherwise
# says and does nothing.

project_directory="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
environment_directory="${project_directory}/.venv"
requirements_file="${project_directory}/test_requirements.txt"
package_options=(--editable "${project_directory}")

# UseUTF8: replaces a locale of ASCII, such as C. Python before 3.13 reads .pth files in
# the encoding of the locale. In ASCII it does not start in an environment that has another
# character in the path of the checkout, nor can setuptools make one.
UseUTF8() {
    local name
    case "$(locale charmap 2> /dev/null)" in
        ANSI_X3.4-1968 | US-ASCII) ;;
        *) return ;;
    esac
    for name in C.UTF-8 en_US.UTF-8; do
        if [ "$(env LC_ALL="${name}" locale charmap 2> /dev/null)" = UTF-8 ]; then
            export LC_ALL="${name}"
            return
        fi
    done
}

UseUTF8

Fail() {
    echo "$*" >&2
    exit 1
}

FindPython() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10}; do
        if "${candidate}" -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
            2> /dev/null; then
            command -v "${candidate}"
            return
        fi
    done
    Fail "Python 3.10 or later is needed, but ${PYTHON:-python3} is missing or older." \
        "Install it or say where it is: PYTHON=/path/to/python3 $0"
}

# GetState PYTHON: what the environment depends on.
GetState() {
    "$1" -c 'import sys; print(sys.base_prefix, sys.version)'
    # A path is part of what is installed.
    echo "${project_directory}"
    (
        cd "${project_directory}"
        cksum plaso_atop.pth pyproject.toml setup.cfg setup.py "${requirements_file}"
    )
}

SetUpEnvironment() {
    local output python state
    local state_file="${environment_directory}/state"

    python="$(FindPython)" || exit 1
    state="$(GetState "${python}")" || exit 1
    if [ "$(cat "${state_file}" 2> /dev/null)" = "${state}" ]; then
        return
    fi

    echo "Setting up ${environment_directory}, this takes a minute or two." >&2

    "${python}" -m venv --clear "${environment_directory}" || Fail \
        "No virtual environment. On Debian and Ubuntu it needs: apt install python3-venv"

    output="$("${environment_directory}/bin/python" -m pip install --quiet \
        --disable-pip-version-check "${package_options[@]}" \
        --requirement "${requirements_file}" 2>&1)" || {
        echo "${output}" >&2
        Fail "Installing into ${environment_directory} failed, see above."
    }

    # Comes last, so that what was interrupted is made again.
    echo "${state}" > "${state_file}"
}
