# The rules of the house that a machine can watch: headers compile alone, each foreign header has its
# owners, only our names are exported, no test is forgotten.
# launch: limit=180
. "$HMF_SRCDIR/tests/lib.sh"
cd "$HMF_SRCDIR" || exit 99
bad=0
complain() { echo "rules: $*"; bad=1; }
. "$HMF_BUILDDIR/tests/lists.sh"

# Public headers: alone, in C and C++, as an installed program sees them (no config.h). Open MPI's
# own C++ bindings, which its mpi.h includes unless told not to, are not free of warnings.
cxx=$(command -v g++ || command -v clang++) || echo "no C++ compiler, headers are tried in C only"
for header in $pkginclude_HEADERS $hmfinclude_HEADERS; do
    include=${header#include/}
    printf '#include "%s"\nint not_empty;\n' "$include" >"$HMF_SCRATCH/h.c"
    cp "$HMF_SCRATCH/h.c" "$HMF_SCRATCH/h.cc"
    $CC -std=c99 -Wall -Wextra -Werror -pedantic -Iinclude $MPI_CFLAGS -fsyntax-only "$HMF_SCRATCH/h.c" ||
        complain "$header does not compile alone in C"
    test -z "$cxx" || "$cxx" -std=c++11 -Wall -Wextra -Werror -Iinclude -DOMPI_SKIP_MPICXX $MPI_CFLAGS -fsyntax-only "$HMF_SCRATCH/h.cc" ||
        complain "$header does not compile alone in C++"
done

# Private headers: alone after config.h.
for header in $core_SOURCES $mpi_SOURCES; do
    case $header in *.h) ;; *) continue ;; esac
    printf '#include "config.h"\n#include "%s"\n' "${header#src/}" >"$HMF_SCRATCH/h.c"
    $CC -std=gnu11 -Wall -Wextra -Werror -Wno-unused-function -I"$HMF_BUILDDIR" -Iinclude -Isrc -I"$HMF_BUILDDIR/src" \
        $MPI_CFLAGS $HDF5_CFLAGS $HWLOC_CFLAGS -fsyntax-only "$HMF_SCRATCH/h.c" ||
        complain "$header does not compile alone"
done

# Owners of foreign headers.
for source in $core_SOURCES $pkginclude_HEADERS $hmfinclude_HEADERS; do
    case $source in include/hmf/migrate.h | include/hmf/comm.h) continue ;; esac # of communicators
    if grep -q 'include *<mpi\.h>' "$source"; then
        complain "$source includes mpi.h, but unit tests and tools are linked without MPI"
    fi
done
for source in $core_SOURCES $mpi_SOURCES; do
    case $source in
    src/check*) ;;
    *) if grep -q 'include *<\(hdf5\|H5[A-Za-z]*\)\.h>' "$source"; then complain "$source includes hdf5.h, only src/check* may"; fi ;;
    esac
    case $source in
    src/monitor* | src/graph*) ;;
    *) if grep -q 'include *<hwloc' "$source"; then complain "$source includes hwloc.h, only src/monitor* and src/graph* may"; fi ;;
    esac
done

# No arrow goes up: the data side includes only its own headers.
for source in $core_SOURCES; do
    for header in $(sed -n 's/^# *include *"\([^"]*\)".*/\1/p' "$source"); do
        case " $core_SOURCES $pkginclude_HEADERS $hmfinclude_HEADERS config.h " in
        *" src/$header "* | *" include/$header "* | *" $header "*) ;;
        *) complain "$source includes $header, which is not of the data side" ;;
        esac
    done
done

# Manners of the code.
for source in $core_SOURCES $mpi_SOURCES $pkginclude_HEADERS $hmfinclude_HEADERS; do
    test -f "$source" || continue       # generated
    head -n 1 "$source" | grep -q '^/\*' || complain "$source does not begin with a comment that says what it is for"
    if grep -n "$(printf '\t')" "$source"; then complain "$source has tabs"; fi
    awk 'length($0) > 120 {print FILENAME ":" FNR ": far too long"; n++} END {exit n > 0}' "$source" || bad=1
    if grep -nE '\b(TODO|FIXME|XXX)\b' "$source"; then complain "$source is not finished"; fi
    # A library never ends its program.
    if grep -nE '(^|[^_A-Za-z>.])(exit|abort|MPI_Abort|PMPI_Abort)\(' "$source" | grep -vE '^[0-9]+: *(/?\*|//)'; then
        case $source in
        src/shim/*) ;;      # MPI_Abort of the program itself
        src/job.c) ;;       # a spare's program never got a rank: it ends when the job does
        *) complain "$source ends the program" ;;
        esac
    fi
    case $source in
    src/param.c | src/log.c) ;;
    *) if grep -nE '(^|[^_A-Za-z])getenv\(' "$source"; then complain "$source reads the environment, use hmf__param_*"; fi ;;
    esac
done

# Exported names.
library=$HMF_BUILDDIR/.libs/libhmf-mpi.so
if test -f "$library"; then
    names=$(${NM:-nm} -D --defined-only "$library" | awk '$2 != "A" {sub(/@.*/, "", $3); print $3}')
    for name in $(echo "$names" | grep -vE '^(hmf_[a-z]|auto_|MPI_)'); do
        case $name in
        __asan* | __ubsan* | __odr_asan* | __sancov* | _init | _fini) ;;
        *) complain "exports $name" ;;
        esac
    done
    echo "$names" | grep -q '^auto_poll$' || complain "does not export auto_poll"
    # A name of ours that nobody defines would fail in the first program that is linked.
    for name in $(${NM:-nm} -D --undefined-only "$library" | awk '{print $NF}' | grep -E '^(hmf_|auto_)'); do
        complain "$name is defined nowhere"
    done
else
    echo "no shared library was built, its names are not looked at"
fi

# Every test is run: a source in tests/ without an entry in TESTS would be dropped in silence.
for source in tests/unit/test_*.c; do
    case " $unit " in *" ${source%.c} "*) ;; *) complain "$source is in no list of unit_tests" ;; esac
done
for source in tests/mpi/*.c; do
    case $source in *_cost.c) continue ;; esac       # measures, decides nothing
    case " $TESTS" in
    *" ${source%.c}.np"*) continue ;;
    esac
    # Programs that shell tests start are named there.
    grep -qs "${source%.c}" $shell || complain "$source is run by no test"
done
for source in tests/*/*.sh mpi-examples/*.sh; do
    test -f "$source" || continue
    case $source in */lib.sh) continue ;; esac
    grep -qsF "$source" $shell tests/*/lib.sh && continue  # another test runs it
    case " $shell " in *" $source "*) ;; *) complain "$source is in no list of shell_tests" ;; esac
done
exit $bad
