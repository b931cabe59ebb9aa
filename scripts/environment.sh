#!/bin/sh
# Make .venv hold what the given purpose needs: `run` (the product), `test` (and its tests) or
# `bench` (and what it is measured beside).
# Does nothing when the requirements are those of the last time and the tree stands where it stood.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:?expected run, test or bench}

fail() {
    echo "lienthong: error: $1" >&2
    echo "lienthong: hint: $2" >&2
    exit 2
}

suits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

make_venv() {
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        suits "$python" || continue
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            fail "expected the module venv, got a Python ($python) without it" \
                "on Debian and Ubuntu: apt-get install python3-venv"
        echo "lienthong: making .venv with $("$python" --version)" >&2
        "$python" -m venv --clear .venv
        return
    done
    found=$("${PYTHON:-python3}" --version 2>/dev/null || echo none)
    fail "expected Python 3.11, 3.12 or 3.13, got $found" \
        "install one of them, or name it: make PYTHON=/path/to/python3.12"
}

# The environment knows its own place, so one that was moved with the tree is made anew.
is_kept() {
    suits .venv/bin/python && grep -qF " $(pwd -P)/.venv" .venv/pyvenv.cfg &&
        { [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" --version)" = "$(.venv/bin/python --version)" ]; }
}

# A stamp says for which requirements and interpreter a purpose was installed.
stamp() {
    { cat setup.cfg constraints.txt; .venv/bin/python --version; } | cksum
}

# Making it anew would empty the folder that a link leads to, which may be somebody else's.
[ ! -L .venv ] || fail "expected .venv to be a folder of this tree, got a link" "remove the link"

is_kept || make_venv
wanted=$(stamp)
if [ "$(cat ".venv/installed-for-$purpose" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

case $purpose in
    run) extras=embedded,pdf ;;
    test) extras=embedded,pdf,test ;;
    bench) extras=embedded,pdf,test,bench ;;
    *) fail "expected run, test or bench, got $purpose" "see the Makefile" ;;
esac
echo "lienthong: installing the pinned packages ($extras) into .venv" >&2
rm -f .venv/installed-for-*
pip() {
    .venv/bin/python -m pip --disable-pip-version-check --no-input --quiet "$@" </dev/null
}
# setuptools comes from the pins as well, hence no isolated build.
pip install --constraint constraints.txt setuptools
pip install --constraint constraints.txt --no-build-isolation --editable ".[$extras]"
echo "$wanted" >.venv/installed-for-run
[ "$purpose" = run ] || echo "$wanted" >.venv/installed-for-test
[ "$purpose" != bench ] || echo "$wanted" >.venv/installed-for-bench
