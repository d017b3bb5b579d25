#!/bin/sh
# Prints what VERSION says: "version.sh version" the package's version, "version.sh so" libtool's.
. "$(dirname "$0")/../VERSION" || exit 1
case $1 in
version) echo "$major.$minor.$patch" ;;
so) echo "$so_version" ;;
*) echo "usage: version.sh version|so" >&2; exit 2 ;;
esac
