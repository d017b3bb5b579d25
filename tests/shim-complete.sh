#!/bin/sh
# Every function of the installed mpi.h that takes or gives a communicator, group, request, message,
# window or file must be in the table of the wrappers and be exported by the library: a call that is
# not would reach the processes that are spares.
. "$HMF_SRCDIR/tests/lib.sh"
set -u
lib=$HMF_BUILDDIR/.libs/libhmf-mpi.so
table=$HMF_SRCDIR/src/shim/functions.tab
test -f "$lib" || { echo "no shared library in this build"; exit 77; }

echo '#include <mpi.h>' > declared.c
$CC -E -P $($PKG_CONFIG --cflags ompi-c 2>/dev/null) ${MPI_CFLAGS:-} declared.c > declared.i || exit 1
perl -e '
    undef $/;
    $_ = <>;
    s/__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)//g;
    s/\s+/ /g;
    for (split /;/) {
        next if !/\b(MPI_[A-Z]\w*) ?\((.*)\) *$/;
        my ($name, $args, $all) = ($1, $2, $_);
        next if $all =~ /\btypedef\b/;
        print "$name\n"
            if "$all" =~ /\bMPI_(Comm|Group|Request|Message|Win|File|Session)\b[ *]/;
    }' declared.i | sort -u > wanted
test "$(wc -l < wanted)" -gt 200 || { echo "mpi.h was not understood"; exit 1; }
perl "$HMF_SRCDIR/src/shim/gen.pl" names "$table" | sort -u > have
nm -D --defined-only "$lib" | sed -n 's/^.* T \(MPI_[A-Za-z0-9_]*\)$/\1/p' | sort -u > exported

bad=0
for name in $(comm -23 wanted have); do
    echo "$name is not in functions.tab"
    bad=1
done
for name in $(comm -12 wanted have | comm -23 - exported); do
    echo "$name is in the table, but the library does not export it"
    bad=1
done
# The manual has a row for every function of MPI, and no cell of it is empty.
perl -e '
    undef $/;
    $_ = <>;
    s/__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)//g;
    s/\s+/ /g;
    for (split /;/) {
        print "$1\n" if /\b(MPI_[A-Z]\w*) ?\(.*\) *$/ && !/\btypedef\b/;
    }' declared.i | sort -u > every
test "$(wc -l < every)" -gt 390 || { echo "mpi.h was not understood"; exit 1; }
sed -n 's/^| \(MPI_[A-Za-z0-9_]*\) | [^ |][^|]* | [^ |][^|]* | [^ |][^|]* |$/\1/p' \
    "$HMF_SRCDIR/doc/mpi-functions.md" | sort > described
for name in $(sort -u described | comm -23 every -); do
    echo "$name has no row in doc/mpi-functions.md, or an empty cell"
    bad=1
done
for name in $(uniq -d described); do
    echo "$name has two rows in doc/mpi-functions.md"
    bad=1
done
perl "$HMF_SRCDIR/src/shim/gen.pl" doc "$table" > doc.md
if ! cmp -s doc.md "$HMF_SRCDIR/doc/mpi-functions.md"; then
    echo "doc/mpi-functions.md is not what gen.pl doc makes of the table"
    bad=1
fi
echo "$(wc -l < wanted) functions of mpi.h take a handle; the table has $(wc -l < have)"
exit $bad
