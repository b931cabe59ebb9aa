#!/bin/sh
# Write constraints.txt: the newest versions that the floors of setup.cfg allow, each pinned.
# Run with the oldest supported Python, so that no pin needs a newer one.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch"
"$scratch/bin/pip" install --quiet --upgrade setuptools ".[embedded,pdf,test,bench]"
{
    echo "# Exact versions of everything that make installs; written by make pins."
    "$scratch/bin/pip" freeze --all --exclude pip --exclude lienthong
} >constraints.txt
