#!/bin/sh
# Make .venv hold what the given purpose needs: `run` (the product) or `test` (and its tests).
# Does nothing when neither the requirements nor the place of the tree changed since last time.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:?expected run or test}

fail() {
    echo "lienthong: error: $1" >&2
    echo "lienthong: hint: $2" >&2
    exit 2
}

suits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

make_venv() {
    for python in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11; do
        suits "$python" || continue
        "$python" -c 'import ensurepip, venv' 2>/dev/null ||
            fail "expected the module venv, got a Python ($python) without it" \
                "on Debian and Ubuntu: apt-get install python3-venv"
        echo "lienthong: making .venv with $("$python" --version)" >&2
        "$python" -m venv --clear .venv
        return
    done
    fail "expected Python 3.11, 3.12 or 3.13, got $(python3 --version 2>&1 || echo none)" \
        "install one of them, or name it: make PYTHON=/path/to/python3.12"
}

# A stamp says for which requirements, tree and interpreter a purpose was installed.
stamp() {
    { cat setup.cfg pyproject.toml constraints.txt; pwd; .venv/bin/python --version; } | cksum
}

[ -x .venv/bin/pip ] && suits .venv/bin/python || make_venv
wanted=$(stamp)
if [ "$(cat ".venv/installed-for-$purpose" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

case $purpose in
    run) extras=embedded,pdf ;;
    test) extras=embedded,pdf,test ;;
    *) fail "expected run or test, got $purpose" "see the Makefile" ;;
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
