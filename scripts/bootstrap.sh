#!/bin/sh
# .venv is either exactly what requirements.lock and pyproject.toml say, or it is not used.
#
# Finds a Python that really runs, makes .venv, installs the lock with its hashes, then this package
# in place. Silent and quick when there is nothing to do. Stamps are written last, so that an
# interrupted run is started over. Indexes, mirrors and certificates are the user's own settings.
set -eu
cd "$(dirname "$0")/.."

venv=.venv
ours=$venv/.fairweather               # this script made the folder and may remove it
stamp_lock=$venv/.fairweather-lock    # the lock that is installed, and where
stamp_package=$venv/.fairweather-package

say() { printf 'fairweather: %s\n' "$*"; }
die() { printf 'fairweather: %s\n' "$*" >&2; exit 1; }
holds() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }
stamp() { printf '%s\n' "$2" >"$1.new" && mv "$1.new" "$1"; }

# A name on PATH proves nothing: a version manager's shim may refuse to run.
uv=$(command -v uv || :)
if [ -n "$uv" ] && ! "$uv" --version >/dev/null 2>&1; then uv=; fi

# The lock has wheels for these versions, not for free-threaded builds. ssl, zlib and ctypes are what
# a Python built without its headers lacks.
suitable='
import ctypes, ssl, sys, sysconfig, venv, zlib
sys.exit(not (
    (3, 12) <= sys.version_info[:2] <= (3, 14)
    and sys.implementation.name == "cpython"
    and sys.maxsize > 2**32
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
))'

candidates() {
    if [ -n "${PYTHON:-}" ]; then echo "$PYTHON"; fi
    if [ -n "$uv" ]; then
        "$uv" python find --system --no-project --no-python-downloads '>=3.12,<3.15' || :
    fi
    for name in python3.14 python3.13 python3.12 python3 python; do
        command -v "$name" || :
    done
    for v in 3.14 3.13 3.12; do
        # shellcheck disable=SC2012
        ls -1d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$v".*/bin/python 2>/dev/null | sort -r
        for place in /usr/local/bin /opt/homebrew/bin /usr/bin "$HOME/.local/bin" \
            "/Library/Frameworks/Python.framework/Versions/$v/bin" \
            "$HOME/.local/share/uv/python/cpython-$v"*/bin; do
            echo "$place/python$v"
        done
    done
    for place in "${CONDA_PREFIX:-}" "$HOME/miniforge3" "$HOME/miniconda3" "$HOME/anaconda3" \
        /opt/conda; do
        echo "$place/bin/python"
    done
}

# Prints the first candidate that runs and passes the test given.
first_passing() {
    candidates 2>/dev/null | while IFS= read -r candidate; do
        if "$candidate" -c "$1" </dev/null >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            break
        fi
    done
}

find_python() {
    if [ -n "${PYTHON:-}" ] && ! "$PYTHON" -c "$suitable" </dev/null >/dev/null 2>&1; then
        say "PYTHON=$PYTHON is not a working CPython 3.12, 3.13 or 3.14; looking elsewhere"
    fi
    if [ -n "$uv" ]; then
        python=$(first_passing "$suitable")
    else
        python=$(first_passing "import ensurepip$suitable")
    fi
    if [ -n "$python" ]; then return; fi
    python=$(first_passing "$suitable")
    if [ -n "$python" ]; then
        die "$python cannot make virtual environments: its ensurepip module is missing.
  On Debian or Ubuntu: apt install python3-venv. Or install uv. Then run make again."
    fi
    die "no CPython 3.12, 3.13 or 3.14 was found that runs.
  Install one (uv python install 3.13, pyenv install 3.13, conda create, your system's packages or
  the installer from the Python site), then run make again; or name one: make PYTHON=/path/to/python3.13"
}

install() {
    if [ -n "$uv" ]; then
        if "$uv" pip install --python "$venv/bin/python" "$@"; then return; fi
        say "uv could not install; trying with pip, which has settings of its own"
    fi
    PIP_USER=0 "$venv/bin/python" -m pip install "$@"
}

make_environment() {
    if [ -e "$venv" ] && [ ! -e "$ours" ]; then
        die "$venv was not made by this script. Move it away (mv $venv $venv.old), then run make again."
    fi
    find_python
    say "making $venv with $("$python" -c 'import sys; print("Python %d.%d.%d" % sys.version_info[:3])') ($python)"
    rm -rf "$venv"
    mkdir "$venv"
    : >"$ours"
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv "$venv"
    else
        "$python" -m venv --without-pip "$venv"
    fi
    # uv does not read pip's settings: where only pip is told which index to use, pip installs.
    if [ -n "$uv" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ] &&
        "$venv/bin/python" -m pip config list 2>/dev/null | grep -qE '\.(index-url|no-index)='; then
        uv=
    fi
    say "installing $(grep -c '==' requirements.lock) pinned packages with ${uv:-pip}" \
        "(a few hundred MB, on first use only)"
    install --require-hashes -r requirements.lock
    stamp "$stamp_lock" "$want_lock"
}

want_lock="$(cksum <requirements.lock) $(pwd -P)"
want_package=$(cksum <pyproject.toml)

if ! { holds "$stamp_lock" "$want_lock" && "$venv/bin/python" -c '' 2>/dev/null; }; then
    make_environment
fi
if ! holds "$stamp_package" "$want_package"; then
    say "installing fairweather itself, in place"
    install --quiet --no-deps --no-build-isolation --editable .
    stamp "$stamp_package" "$want_package"
    say "ready"
fi
