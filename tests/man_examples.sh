# Every program in a man page is whole: it compiles without a warning and prints what the page says. What stands
# between .nf and .fi behind EXAMPLE is a program if it has a main; what follows it in this way is what it
# prints, each piece in a run and a build of its own in the same folder. Those that call MPI_Init run on two ranks.
# launch: limit=180
. "$HMF_SRCDIR/tests/lib.sh"
. "$HMF_BUILDDIR/tests/lists.sh"
flags="-g -Wall -Wextra -Werror"
test "$SANITIZERS" = none || flags="$flags -fsanitize=$SANITIZERS"

programs=0
for page in "$HMF_SRCDIR"/doc/man/*.3; do
    name=$(basename "$page" .3)
    mkdir "$HMF_SCRATCH/$name" && cd "$HMF_SCRATCH/$name" || exit 99
    # Pieces 1.txt, 2.txt, ...
    awk '/^\.SH/ {on = /EXAMPLE/} /^\.nf/ {n++; inside = 1; next} /^\.fi/ {inside = 0}
        on && inside {gsub(/\\&/, ""); gsub(/\\-/, "-"); gsub(/\\e/, "\\"); print > ((n - first) ".txt")}
        !on {first = n}' "$page"
    test -f 1.txt && grep -q '^int main(' 1.txt || fail "$name(3) has no whole program under EXAMPLE"
    test -f 2.txt || fail "$name(3) does not show what its program prints"
    mv 1.txt example.c
    programs=$((programs + 1))
    run=timeout ranks=60
    if grep -q MPI_Init example.c; then
        test -n "$MPIRUN" || { echo "$name(3): no mpirun to run it"; run=; }
        run=${run:+hmf_run} ranks="2 0"
    fi
    if grep -q hmf_globals_track example.c && ! grep -q "^#define HAVE_LIBDW 1" "$HMF_BUILDDIR/config.h"; then
        echo "$name(3): built without libdw, so its program is only compiled"
        run=
    fi
    # What one build leaves the next one, built otherwise, goes on with; -no-install: with the library that was built.
    for piece in [0-9]*.txt; do
        "$HMF_BUILDDIR/libtool" --silent --tag=CC --mode=link $CC $flags -O$((${piece%.txt} % 2 * 2)) example.c \
            -o example -no-install -I"$HMF_SRCDIR/include" $MPI_CFLAGS "$HMF_BUILDDIR/libhmf-mpi.la" $MPI_LIBS ||
            fail "$name(3): its program does not compile"
        test -n "$run" || continue
        $run $ranks ./example >out 2>err || { cat out err; fail "$name(3): its program fails"; }
        test ! -s err || { cat err; fail "$name(3): something is on stderr"; }
        diff "$piece" out || fail "$name(3): its program prints something else ($piece)"
    done
done
test $programs -gt 0 || fail "no man page has a program"
echo "good: $programs programs"
