#!/bin/sh
# Unpacks the libraries of another Debian architecture into a folder that cross compilers and qemu
# use as their root. Usage: build-aux/sysroot.sh ARCH FOLDER
#
# apt works on a state of its own: nothing is installed, no foreign architecture is added (with one,
# apt-get update fails where a mirror's security index for it is stale, and libraries that must have
# the same version on all architectures cannot be installed together). Root is not needed.
# A folder that is there already is kept if it was made from the same list. What comes in is what
# tests/hetero wants; which compiler goes with it is not known here.
set -eu
arch=$1
case $2 in /*) root=$2 ;; *) root=$PWD/$2 ;; esac
libraries="libc6 libgcc-s1 libhdf5-103-1 libhwloc15 libopenmpi3 libxxhash0"
# Of these only headers and links to the libraries are wanted, without what they depend on.
headers="libc6-dev linux-libc-dev libcrypt-dev libhdf5-dev libopenmpi-dev libhwloc-dev libxxhash-dev"
list="$arch $libraries $headers 1"

test "$(cat "$root/.made-from" 2>/dev/null)" != "$list" || exit 0
for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || { echo "no $tool here: sysroots are made from Debian packages"; exit 1; }
done
. /etc/os-release
test "${VERSION_CODENAME-}" != "" || { echo "/etc/os-release names no release of Debian"; exit 1; }

work=$root.work
rm -rf "$root" "$work"
mkdir -p "$root" "$work/sources" "$work/lists/partial" "$work/cache/archives/partial"
: >"$work/status"
# The mirrors and keys of this machine, but only the release itself: the pockets of updates and
# security lack some architectures, and their versions differ from one to the next.
for file in /etc/apt/sources.list.d/*.sources; do
    test -f "$file" || continue
    awk -v suite="$VERSION_CODENAME" 'BEGIN {RS = ""; ORS = "\n\n"}
        $0 !~ "Suites:[^\n]* *" suite {next}
        /Suites:[^\n]*-security/ {next}
        {sub(/Suites:[^\n]*/, "Suites: " suite); print}' "$file"
done | grep -v '^#' >"$work/sources/here.sources" || :
cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    grep -E "^deb .* $VERSION_CODENAME +" >"$work/sources/here.list" || :
apt() {
    apt-get -qq -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
        -o Dir::State="$work" -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" \
        -o Dir::Cache="$work/cache" -o Dir::Cache::archives="$work/cache/archives" -o Dir::Log="$work" \
        -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources" \
        -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Install-Recommends=false \
        -o Debug::NoLocking=true -o APT::Sandbox::User=root "$@"
}
apt update
# shellcheck disable=SC2086
apt -y --download-only install $libraries
# shellcheck disable=SC2086
(cd "$work/cache/archives" && apt download $headers)

mkdir -p "$root/usr"
for dir in lib bin sbin lib64; do
    mkdir -p "$root/usr/$dir"
    ln -s "usr/$dir" "$root/$dir"
done
for package in "$work"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" |
        tar -C "$root" --keep-directory-symlink --exclude='./usr/share/*' --exclude='libhdf5*.a' --exclude='libmpi*.a' -xf -
done
# An absolute link leads out of the folder.
find "$root" -type l -lname '/*' | while read -r link; do
    target=$(readlink "$link")
    test ! -e "$root$target" || ln -sfrn "$root$target" "$link"
done
rm -rf "$work"
echo "$list" >"$root/.made-from"
