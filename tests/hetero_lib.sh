# Sourced by tests/hetero/*.sh: other architectures under qemu. Names of architectures are Debian's:
#   amd64    this machine           64 bits, little-endian     s390x  64 bits, big-endian
#   i386     32 bits, little-endian                            arm64  64 bits, little-endian, other ABI
#   powerpc  32 bits, big-endian; not in a release of Debian, so without HDF5 and MPI: images only
#
# Sysroots and cross-built programs are kept in HMF_SYSROOTS (default: the build folder's
# tests/hetero/cross) and made on first use, one user at a time.
. "$HMF_SRCDIR/tests/lib.sh"

case $(uname -m) in
x86_64) ;;
*) skip "the other architectures are tested from x86-64; this is $(uname -m)" ;;
esac
. "$HMF_BUILDDIR/tests/lists.sh"
HETERO_CROSS=$HMF_BUILDDIR/tests/hetero/cross
HETERO_ROOTS=${HMF_SYSROOTS:-$HETERO_CROSS}
mkdir -p "$HETERO_CROSS" "$HETERO_ROOTS"
# Each program under qemu ends after this many seconds: some hang inside MPI's start-up there.
HETERO_LIMIT=$((60 * ${HMF_LIMIT_SCALE:-1}))

hetero_triplet() {
    case $1 in
    i386) echo i686-linux-gnu ;;
    arm64) echo aarch64-linux-gnu ;;
    *) echo "$1-linux-gnu" ;;
    esac
}

# The name of Debian's folder of libraries, which for i386 is not the compiler's.
hetero_libdir() {
    case $1 in
    i386) echo i386-linux-gnu ;;
    *) hetero_triplet "$1" ;;
    esac
}

hetero_qemu() {
    case $1 in
    arm64) echo qemu-aarch64 ;;
    powerpc) echo qemu-ppc ;;
    *) echo "qemu-$1" ;;
    esac
}

# hetero_root ARCH: where its libraries are
hetero_root() {
    case $1 in
    powerpc) echo /usr/powerpc-linux-gnu ;;
    *) echo "$HETERO_ROOTS/$1" ;;
    esac
}

# hetero_need ARCH...: ends the test as skipped where one of them cannot be had.
hetero_need() {
    for hetero_arch; do
        test "$hetero_arch" != amd64 || continue
        for hetero_tool in "$(hetero_triplet "$hetero_arch")-gcc" "$(hetero_qemu "$hetero_arch")"; do
            command -v "$hetero_tool" >/dev/null ||
                skip "no $hetero_tool here (Debian: gcc-$(hetero_triplet "$hetero_arch" | tr _ -), libc6-dev-$hetero_arch-cross, qemu-user)"
        done
        test "$hetero_arch" != powerpc || continue
        flock "$HETERO_ROOTS/$hetero_arch.lock" sh "$HMF_SRCDIR/build-aux/sysroot.sh" "$hetero_arch" \
            "$(hetero_root "$hetero_arch")" >"$HETERO_ROOTS/$hetero_arch.log" 2>&1 || {
            tail -n 5 "$HETERO_ROOTS/$hetero_arch.log"
            skip "the libraries of $hetero_arch cannot be had from here; $HETERO_ROOTS/$hetero_arch.log says all"
        }
    done
}

# hetero_build PROGRAM ARCH...: builds tests/hetero/PROGRAM.c for each; make built the one of amd64.
# A program that includes mpi.h gets the whole library, any other the data side and checkpoints.
hetero_build() {
    hetero_program=$1
    shift
    hetero_need "$@"
    for hetero_arch; do
        test "$hetero_arch" != amd64 || continue
        hetero_t=$(hetero_libdir "$hetero_arch") hetero_r=$(hetero_root "$hetero_arch")
        hetero_flags=
        # Arithmetic as SSE does it: x87 keeps more digits than were stored. psabi: a note, not a warning.
        test "$hetero_arch" != i386 || hetero_flags="-msse2 -mfpmath=sse -Wno-psabi"
        hetero_cc="$(hetero_triplet "$hetero_arch")-gcc"
        case $CC in ccache*) hetero_cc="ccache $hetero_cc" ;; esac
        case $hetero_arch in
        powerpc) hetero_dirs= ;;
        *) hetero_dirs="--sysroot=$hetero_r" ;;
        esac
        flock "$HETERO_CROSS/$hetero_arch.build" env -u MAKEFLAGS -u MFLAGS \
            make -s -f "$HMF_SRCDIR/tests/hetero/cross.mk" -j"$(nproc)" SRC="$HMF_SRCDIR" BUILD="$HMF_BUILDDIR" OUT="$HETERO_CROSS/$hetero_arch.out" \
            CC="$hetero_cc $hetero_dirs" FLAGS="$hetero_flags" ROOT="$hetero_r" LIBDIR="$hetero_t" \
            ARCH="$hetero_arch" AR="$(hetero_triplet "$hetero_arch")-ar" \
            core="$core_SOURCES" mpi="$mpi_SOURCES" "$hetero_program" ||
            fail "$hetero_program does not build for $hetero_arch"
    done
}

# hetero_on ARCH PROGRAM ARGS...: runs tests/hetero/PROGRAM there.
hetero_on() {
    hetero_arch=$1 hetero_program=$2
    shift 2
    timeout -k 5 "$HETERO_LIMIT" sh "$HMF_SRCDIR/tests/hetero_run.sh" "$hetero_arch" "$hetero_program" "$@"
}
