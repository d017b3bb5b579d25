# An installation serves a program: headers, pkg-config, CMake, run on ranks with a spare.
# As a test it installs into its scratch folder; "make installcheck" calls it with the real prefix.
# launch: limit=180
. "$HMF_SRCDIR/tests/lib.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL
if test $# -ge 1; then
    prefix=$1 pkgconfig=$2
    HMF_SCRATCH=$(mktemp -d) || exit 99
    trap 'rm -rf "$HMF_SCRATCH"' EXIT
else
    prefix=$HMF_SCRATCH/inst$(sed -n 's/^prefix = //p' "$HMF_BUILDDIR/Makefile")
    pkgconfig=$prefix/lib/pkgconfig
    make -s -C "$HMF_BUILDDIR" install DESTDIR="$HMF_SCRATCH/inst" >"$HMF_SCRATCH/install.log" 2>&1 ||
        { cat "$HMF_SCRATCH/install.log"; fail "make install"; }
fi
cd "$HMF_SCRATCH" || exit 99
if test "$SANITIZERS" != none; then
    CC="$CC -fsanitize=$SANITIZERS"
fi

# The program in README.md is the one that a new user copies.
awk '/^```c$/ {on = 1; next} /^```$/ {on = 0} on' "$HMF_SRCDIR/README.md" >program.c
test -s program.c || fail "README.md has no C program"
readme_sum=$(sed -n 's/^rank 0 ends in process [0-9]*: //p' "$HMF_SRCDIR/README.md")

PKG_CONFIG_PATH=$pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
flags=$(${PKG_CONFIG:-pkg-config} --define-variable=prefix="$prefix" --cflags --libs hmf-mpi) ||
    fail "pkg-config does not know hmf-mpi"
echo "flags: $flags"
LD_LIBRARY_PATH=$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH

$CC -Wall -Werror program.c -o by-pkgconfig $flags || fail "$CC with pkg-config's flags"
programs=by-pkgconfig
if mpicc=$(command -v mpicc); then
    OMPI_CC=$CC "$mpicc" -Wall -Werror program.c -o by-mpicc -I"$prefix/include/hmf-mpi" \
        -L"$prefix/lib" -lhmf-mpi || fail "mpicc with -lhmf-mpi"
    programs="$programs by-mpicc"
fi
if command -v cmake >/dev/null; then
    mkdir cm
    cat >cm/CMakeLists.txt <<'CM'
cmake_minimum_required(VERSION 3.10)
project(user C)
find_package(hmf-mpi REQUIRED)
add_executable(by-cmake ../program.c)
target_link_libraries(by-cmake hmf-mpi::hmf-mpi)
CM
    cc=${CC#ccache }
    (mkdir cm/build && cd cm/build && CC= CFLAGS= cmake -DCMAKE_C_COMPILER="${cc%% *}" \
        -DCMAKE_C_FLAGS="${cc#"${cc%% *}"}" -DCMAKE_PREFIX_PATH="$prefix" .. && make) >cmake.log 2>&1 ||
        { cat cmake.log; fail "find_package(hmf-mpi)"; }
    cp cm/build/by-cmake .
    programs="$programs by-cmake"
fi
test -n "$MPIRUN" || skip "compiled, but no mpirun to run it"
for program in $programs; do
    hmf_run 4 1 "./$program" >out 2>err || { cat out err; fail "$program does not run"; }
    cat out
    test ! -s err || { cat err; fail "$program: something is on stderr"; }
    test "$(grep -c "^rank [0-3] ends in process [0-9]*: $readme_sum$" out)" = 4 ||
        fail "$program: this is not what README.md says"
    grep -q '^rank 1 goes on at step' out || fail "$program: rank 1 did not move"
done
echo "good: $programs"
