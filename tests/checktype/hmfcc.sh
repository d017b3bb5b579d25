# hmfcc as a user calls it: one source, several, -c and -o, -MD, under make and cmake; the programs move.
# launch: limit=360
. "$HMF_SRCDIR/tests/lib.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL
cd "$HMF_SCRATCH" || exit 99
. "$HMF_SRCDIR/tests/checktype/inst.sh"

case $(hmfcc -show x.c -o x) in
*" x.c "*-lhmf-mpi*) ;;
*) fail "hmfcc -show: $(hmfcc -show x.c -o x)" ;;
esac
case $(hmfcc -show-compile) in *"-I$PWD/inst/include/hmf-mpi"*) ;; *) fail "-show-compile: $(hmfcc -show-compile)" ;; esac
case $(hmfcc -show-link) in *-lhmf-mpi*) ;; *) fail "-show-link: $(hmfcc -show-link)" ;; esac
hmfcc --help | grep -q usage || fail "--help"
test "$(HMFCC_CC=echo hmfcc "-DA=\"it's\"" -c 'a b.c' | grep -c "A=\"it's\".*a b.c")" = 1 || fail "quoting"

# without marks
printf 'int main(void) { return AUTO_MIGR - 2; }\n' >plain.c
hmfcc -Wall -Werror -include auto.h plain.c -o plain && ./plain || fail "a source without marks"
hmfcc -c nothing.c 2>/dev/null && fail "a source that is not there was compiled"

# what other builds ask of a compiler: sources of other languages, standard input, -v, -E before -c, nothing at all
printf '.globl answer\nanswer:\n' >answer.S
hmfcc -c answer.S && test -f answer.o || fail "-c of assembly made nothing"
hmfcc -c 2>/dev/null && fail "-c without a source is good"
echo 'int main(void) { return 0; }' | hmfcc -x c - -o typed && ./typed || fail "a source from standard input"
echo 'int main(void) { return 0; }' | hmfcc -x c -c - -o typed.o && hmfcc typed.o -o typed && ./typed || fail "-c from standard input"
hmfcc -c -v plain.c -include auto.h -o plain.o 2>/dev/null && test -f plain.o || fail "-c -v"
hmfcc -v >err 2>&1 || { cat err; fail "-v alone"; }
rm -f plain.o && hmfcc -E -c plain.c | grep -q main && test ! -f plain.o || fail "-E -c compiled"
echo 'extern "C" int answer(void) { class it { } i; (void)i; return 0; }' >other.cpp
hmfcc -c other.cpp && test -f other.o || fail "-c of C++"
rm -f ./*.o

cat >state.h <<'C'
#include <hmf/checktype.h>
typedef struct item { int value; struct item *next; } item_t;
checktype typedef struct sim {
    int step, n;
    double *u HMF_LEN(n);
    item_t *list HMF_ONE;
    int (*rule)(int);
} sim_t;
extern sim_t *sim;
void advance(sim_t *s);
C
cat >advance.c <<'C'
#include "state.h"
#include <stdlib.h>
static checktype long calls;
static int twice(int n) { return 2 * n; }
void advance(sim_t *s)
{
    item_t *item = malloc(sizeof *item);
    if (!s->rule)
        s->rule = twice;
    item->value = s->rule(s->step);
    item->next = s->step % 10 ? s->list : NULL;
    s->list = item;
    for (int i = 0; i < s->n; i++)
        s->u[i] += item->value * (i + 1);
    calls++;
}
long advance_calls(void) { return calls; }
C
cat >main.c <<'C'
#include <mpi.h>
#include <auto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "state.h"
long advance_calls(void);
sim_t *sim;
int main(int argc, char **argv)
{
    int rank, left = 0, steps = 2000;
    double own[3] = {0}, sum = 0, *half = own + 1;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (auto_init(argv[0]) || HMF_TRACK(sim) || HMF_TRACK(own) || HMF_TRACK(half) || HMF_TRACK_ALL())
        return 1;
    if (!auto_read(AUTO_ALL)) {
        sim = calloc(1, sizeof *sim);
        sim->n = 5 + rank;
        sim->u = calloc(sim->n, sizeof *sim->u);
    }
    for (; sim->step < steps; sim->step++) {
        if ((left = auto_poll(AUTO_ALL) & AUTO_MIGR))
            break;
        if (rank == 1 && sim->step == steps / 2)
            raise(SIGUSR2);
        advance(sim);
        *half += 0.5;
        own[0] = sim->u[sim->n - 1];
        MPI_Allreduce(own, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    }
    if (!left) {
        int items = 0;
        for (item_t *i = sim->list; i; i = i->next)
            items += i->value;
        printf("rank %d: %d steps, %ld calls, %.1f %.1f, list %d, sum %.1f\n", rank, sim->step, advance_calls(),
               own[1], sim->u[0], items, sum);
    }
    auto_done();
    MPI_Finalize();
    return 0;
}
C
if test ! -x "$HMF_BUILDDIR/hmf-checktype"; then
    hmfcc -c main.c 2>err && fail "marks were dropped in silence"
    grep -q libclang err || { cat err; fail "this does not say what is missing"; }
    skip "hmf-checktype was not built: configure found no libclang"
fi

good() {
    hmf_run 3 1 "$@" >out 2>err || { cat out err; fail "$1 does not run"; }
    test ! -s err || { cat err; fail "$1: something is on stderr"; }
    sort out >"${1##*/}.out"
    cat "${1##*/}.out"
    test ! -f first.out || cmp first.out "${1##*/}.out" || fail "$1: another result"
}

# at once
hmfcc -Wall -Wextra -Werror -O2 -g main.c advance.c -o first -lm || fail "two sources at once"
test "$(ls ./*.o 2>/dev/null)" = "" || fail "objects are left behind"
test -z "$MPIRUN" || good ./first
test -z "$MPIRUN" || grep -q 'rank 1: 2000 steps, 2000 calls, 1000.0' first.out || fail "this is not the result"

# one by one, with dependencies
hmfcc -Wall -Werror -MD -MP -c advance.c || fail "-c"
hmfcc -Wall -Werror -MMD -MF main.dep -c main.c -o main.o || fail "-c -o"
grep -q 'advance.c' advance.d && grep -q 'state.h' advance.d || { cat advance.d; fail "dependencies"; }
grep -q 'types\.c' advance.d main.dep && fail "dependencies name files that are gone"
hmfcc main.o advance.o -o second || fail "linking"
test -z "$MPIRUN" || good ./second

# by way of assembly, which has the descriptions, too
hmfcc -S advance.c && hmfcc -c -S main.c -o main.s && hmfcc main.s advance.s -o assembled || fail "-S"
nm assembled | grep -q 'hmf_checktype_add' || fail "-S dropped the descriptions"

# a struct that is another one with OpenMP, or by the machine's features, is described as it is compiled; omp.h is found
cat >choice.c <<'C'
#include <hmf/checktype.h>
#ifdef _OPENMP
#include <omp.h>
#endif
checktype typedef struct choice {
    int n;
#ifdef _OPENMP
    int crew;
#endif
    double v[3];
} choice_t;
static checktype choice_t choice;
int main(void)
{
#ifdef _OPENMP
    choice.crew = omp_get_max_threads();
#endif
    return choice.n;
}
C
hmfcc -Wall -Wextra -Werror -c choice.c || fail "choice.c"
grep -qa crew choice.o && fail "a field is described that is not there"
hmfcc -Wall -Wextra -Werror -fopenmp -c choice.c || fail "choice.c -fopenmp"
grep -qa crew choice.o || fail "a field that -fopenmp brings is not described"
if echo '#include <omp.h>' | clang -fopenmp -E -x c - >/dev/null 2>&1; then
    HMFCC_CC=clang hmfcc -Wall -Wextra -Werror -fopenmp -c choice.c || fail "choice.c -fopenmp by clang"
    grep -qa crew choice.o || fail "a field that clang's -fopenmp brings is not described"
fi

# under make, from elsewhere
mkdir -p m && printf 'CC = hmfcc\nVPATH = ..\nthird: main.o advance.o\n\t$(CC) $^ -o $@\n' >m/Makefile
make -C m >make.log 2>&1 || { cat make.log; fail "make CC=hmfcc"; }
test -z "$MPIRUN" || good m/third

# under cmake, and by the function of the CMake package
if command -v cmake >/dev/null; then
    mkdir c && cat >c/CMakeLists.txt <<'CM'
cmake_minimum_required(VERSION 3.10)
project(user C)
add_executable(fourth ../main.c ../advance.c)
CM
    (mkdir c/build && cd c/build && CC= CFLAGS= cmake -DCMAKE_C_COMPILER=hmfcc .. && make) >cmake.log 2>&1 ||
        { cat cmake.log; fail "CMAKE_C_COMPILER=hmfcc"; }
    test -z "$MPIRUN" || good c/build/fourth
fi

# under autotools, by the macro that is installed: hmfcc as the compiler, and a rule for a header
if command -v autoreconf >/dev/null && command -v aclocal >/dev/null; then
    mkdir -p a/m4
    cp main.c advance.c state.h a/
    cp "$HMF_SRCDIR/src/tools/hmf-mpi.m4" a/m4/
    printf '#include <hmf/checktype.h>\nchecktype typedef struct shape { int n, m; double *x HMF_LEN(n); } shape_t;\n' >a/shape.h
    cat >a/shape.c <<'C'
#include "shape.h"
int main(void) { const int *d; size_t n; return hmf_checktype_find("struct shape", &d, &n); }
C
    cat >a/configure.ac <<'AC'
AC_INIT([user], [1])
AC_CONFIG_MACRO_DIRS([m4])
AM_INIT_AUTOMAKE([foreign])
HMF_MPI_PROGS([CC=$HMFCC], [AC_MSG_ERROR([libhmf-mpi is missing])])
AC_PROG_CC
AC_CONFIG_FILES([Makefile])
AC_OUTPUT
AC
    cat >a/Makefile.am <<'AM'
bin_PROGRAMS = fifth shape
fifth_SOURCES = main.c advance.c state.h
shape_SOURCES = shape.c shape.h
nodist_shape_SOURCES = shape.types.c
shape.types.c: shape.h
	$(HMF_CHECKTYPE) -o $@ $(srcdir)/shape.h $(HMF_MPI_CFLAGS)
CLEANFILES = shape.types.c
AM
    (cd a && autoreconf -i && mkdir build && cd build && CC= CFLAGS= ../configure --with-hmf-mpi="$HMF_SCRATCH/inst" && make) \
        >autotools.log 2>&1 || { cat autotools.log; fail "HMF_MPI_PROGS"; }
    a/build/shape || fail "the rule of hmf-mpi.m4 gave no description"
    test -z "$MPIRUN" || good a/build/fifth
    if test ! -x /usr/bin/hmfcc; then
        (cd a/build && CC= CFLAGS= PATH=/usr/bin:/bin ../configure --with-hmf-mpi="$HMF_SCRATCH/nowhere") >autotools.log 2>&1 &&
            fail "HMF_MPI_PROGS found what is not there"
        grep -q 'libhmf-mpi is missing' autotools.log || { cat autotools.log; fail "ACTION-IF-NOT-FOUND was not done"; }
    fi
else
    echo "no autotools: hmf-mpi.m4 is not tried"
fi

# the tutorial's program, with a move
examples=$HMF_SRCDIR/mpi-examples
hmfcc -Wall -Wextra -Werror "$examples/ants_plain.c" -o ants_plain || fail "ants_plain.c"
sed 's/^        if ((left = auto_poll/        if (rank == 1 \&\& step == 1500) raise(SIGUSR2);\n&/' "$examples/ants_hmf.c" >ants.c
hmfcc -Wall -Wextra -Werror -include signal.h ants.c -o ants || fail "ants_hmf.c"
if test -n "$MPIRUN"; then
    hmf_run 3 0 ./ants_plain >plain || fail "ants_plain"
    HMF_LOG=info hmf_run 3 1 ./ants >out 2>err || { cat out err; fail "ants"; }
    sort plain >plain.sorted
    sort out | cmp - plain.sorted || { cat out plain err; fail "ants: another result"; }
    grep -qi 'rank 1' err || { cat err; fail "ants: rank 1 did not move"; }
fi

# the other programs to start from
for source in counter jacobi_hmf logbook particles; do
    hmfcc -Wall -Wextra -Werror -c "$examples/$source.c" || fail "$source.c"
done

# headers under CMake, without hmfcc
if command -v cmake >/dev/null; then
    mkdir -p d inst/lib/cmake/hmf-mpi
    cp "$HMF_BUILDDIR/hmf-mpi-config.cmake" inst/lib/cmake/hmf-mpi/
    cat >d/shape.h <<'C'
#include <hmf/checktype.h>
checktype typedef struct shape { int n; double *x HMF_LEN(n); } shape_t;
C
    cat >d/shape.c <<'C'
#include "shape.h"
int main(void) { const int *d; size_t n; return hmf_checktype_find("struct shape", &d, &n); }
C
    cat >d/CMakeLists.txt <<'CM'
cmake_minimum_required(VERSION 3.10)
project(user C)
find_package(hmf-mpi REQUIRED)
add_executable(shape shape.c)
hmf_describe(shape shape.h)
target_link_libraries(shape hmf-mpi::hmf-mpi)
CM
    (mkdir d/build && cd d/build && CC= CFLAGS= cmake -DCMAKE_PREFIX_PATH="$HMF_SCRATCH/inst" .. && make) >cmake.log 2>&1 ||
        { cat cmake.log; fail "hmf_describe"; }
    d/build/shape || fail "hmf_describe gave no description"
fi

# a type that cannot be described ends the compilation, and nothing is left
sed 's/ HMF_LEN(n)//' state.h >bad.h
sed 's/state.h/bad.h/' advance.c >bad.c
hmfcc -c bad.c 2>err && fail "an undescribed pointer was compiled"
grep -q 'bad.h:5: error: struct sim, field u' err || { cat err; fail "the field is not named"; }
test ! -e bad.o || fail "an object was left"
# ... unless the descriptions come from elsewhere
hmfcc -hmf-plain -Wall -Werror -c bad.c || fail "-hmf-plain"
