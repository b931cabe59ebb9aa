#!/bin/sh
# See to it that the programs the tests drive are there; install them from Debian's packages when
# that is allowed, otherwise name the missing packages.
set -eu

has_initdb() { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; }
has_php_soap() { php -m | grep -qx soap; }
has_font() { ls /usr/share/fonts/truetype/liberation*/LiberationSans-Regular.ttf; }

missing() {
    has_initdb || echo postgresql
    command -v chromium || echo chromium
    command -v xmlsec1 || echo xmlsec1
    command -v openssl || echo openssl
    command -v php || echo php-cli
    has_php_soap || echo php-soap
    command -v pdftotext || echo poppler-utils
    # a foreign SOAP client; its packages come by npm from a lock file
    command -v node || echo nodejs
    command -v npm || echo npm
    command -v softhsm2-util || echo softhsm2
    has_font || echo fonts-liberation
}

# Only the package names are wanted of what the checks above print.
names() { missing 2>/dev/null | grep -E '^[a-z][a-z0-9-]+$' | tr '\n' ' '; }

packages=$(names || true)
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=sudo
else
    as_root=none
fi
if [ "$as_root" = none ] || ! command -v apt-get >/dev/null; then
    echo "lienthong: error: expected these packages for the tests, got none of them: $packages" >&2
    echo "lienthong: hint: apt-get install $packages" >&2
    exit 2
fi

echo "lienthong: installing Debian packages for the tests: $packages" >&2
get() {
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o DPkg::Lock::Timeout=120 "$@" </dev/null >/dev/null
}
# Lists that were never fetched, or are old, make the first try fail.
# shellcheck disable=SC2086
get install -y --no-install-recommends $packages 2>/dev/null ||
    { get update && get install -y --no-install-recommends $packages; }

packages=$(names || true)
if [ -n "$packages" ]; then
    echo "lienthong: error: still missing after the installation: $packages" >&2
    exit 2
fi
