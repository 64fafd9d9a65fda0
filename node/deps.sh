#!/bin/sh
# Makes sure that what kith is built from is on this machine: sh node/deps.sh run|tests
# Debian packages are asked for by name, because not every library has a pkg-config file. Nothing is
# fetched when nothing is missing, so a machine that is offline can build again and again.
set -eu

build="gcc libc6-dev cmake ninja-build pkg-config libsodium-dev libuv1-dev libmsgpack-dev
    liblmdb-dev libjansson-dev libutf8proc-dev libqrencode-dev libcsv-dev"
tests="libcmocka-dev zlib1g-dev python3 git faketime zsh fish"

# What the same things are called elsewhere, with the versions kith is tested with.
programs="cc cmake ninja pkg-config"
libraries="libsodium:1.0.18 libuv:1.44 msgpack:4.0 lmdb:0.9.24 jansson:2.14 libutf8proc:2.6
    libqrencode:4.1"
test_programs="python3 git"
test_libraries="cmocka:1.1.5 zlib:1.2.13"

is_installed() {
    dpkg -s "$1" 2>/dev/null | grep -q '^Status: .* ok installed$'
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

install_packages() {
    missing=
    for package in $packages; do
        is_installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
        echo "kith needs these packages; as root, type:" >&2
        echo "  apt-get install$missing" >&2
        exit 1
    fi
    echo "Installing what is missing:$missing"
    # Old lists may still do, so a failed update is told by the install that follows it.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update ||
        echo "The package lists could not be renewed." >&2
    # Word splitting is what makes the list of packages.
    # shellcheck disable=SC2086
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 install $missing >&2; then
        echo "The packages could not be installed:$missing" >&2
        exit 1
    fi
}

# No Debian: the list is told, and what can be found is enough.
find_libraries() {
    absent=
    for program in $programs; do
        command -v "$program" >/dev/null 2>&1 || absent="$absent $program"
    done
    for library in $libraries; do
        pkg-config --atleast-version="${library#*:}" "${library%%:*}" 2>/dev/null ||
            absent="$absent ${library%%:*}"
    done
    printf '#include <csv.h>\n' | cc -E - >/dev/null 2>&1 || absent="$absent libcsv"
    [ -n "$absent" ] || return 0
    echo "This is no Debian system, so nothing is installed here. kith is built from:" >&2
    for item in $programs $libraries libcsv:3.0; do
        case $item in
        *:*) echo "  ${item%%:*} ${item#*:} or newer" >&2 ;;
        *) echo "  $item" >&2 ;;
        esac
    done
    echo "Not found:$absent" >&2
    exit 1
}

case ${1:-} in
run) packages=$build ;;
tests)
    packages="$build $tests"
    programs="$programs $test_programs"
    libraries="$libraries $test_libraries"
    ;;
*)
    echo "usage: sh node/deps.sh run|tests" >&2
    exit 2
    ;;
esac
if command -v dpkg >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
    install_packages
else
    find_libraries
fi
