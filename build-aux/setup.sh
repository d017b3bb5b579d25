# Sourced by ./check and ./demo from the top of the tree: what both need before they can build.

say() { printf '\n== %s\n' "$*"; }

# missing_packages LIST...
missing_packages() {
    cat "$@" | sed 's/#.*//' | while read -r package; do
        test -n "$package" || continue
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
        *" installed") ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# install_packages LIST...: installs what is missing on Debian and its relatives if we may, else says
# what to install and goes on: configure then names what it really misses.
install_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "Not a Debian system: what has to be here is listed in: $*"
        return 0
    fi
    packages=$(missing_packages "$@")
    test -n "$packages" || return 0
    say "missing packages: $packages"
    if test "$(id -u)" = 0; then
        root=
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        root="sudo -n"
    else
        echo "Install them as root:  apt-get install $packages"
        return 0
    fi
    export DEBIAN_FRONTEND=noninteractive
    $root apt-get -qq update || echo "apt-get update failed; trying with the lists that are here"
    # shellcheck disable=SC2086
    $root apt-get -qq install -y --no-install-recommends $packages >/dev/null
}

ncpu() {
    nproc 2>/dev/null || echo 2
}

# configure_in DIR [OPTIONS]: bootstraps once, configures once.
configure_in() {
    dir=$1
    shift
    if test ! -x configure || test configure.ac -nt configure; then
        ./bootstrap || return 1
    fi
    mkdir -p "$dir" || return 1
    if test -f "$dir/config.status" && test "$(cat "$dir/.options" 2>/dev/null)" = "$*"; then
        return 0
    fi
    (cd "$dir" && ../configure "$@") || return 1
    echo "$*" >"$dir/.options"
}
