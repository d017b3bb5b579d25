# Ranks leave one host for another, over a network: a heat solver and a program of structs and pointers give the results, bit
# for bit, that they give undisturbed on one machine. Which host keeps the spares is said by HMF_SPARE_HOSTS.
# launch: limit=180
. "$HMF_SRCDIR/tests/cluster/lib.sh"
HMF_LIMIT=120
steps=3000
set -- "$HMF_BUILDDIR/mpi-examples/heat2d" -s $steps -x 2 -p progress -o

hosts 3
scenario="heat2d undisturbed"
(export OMPI_MCA_btl=self,vader; hmf_run 4 0 "$@" plain "$HMF_SRCDIR/mpi-examples/floorplan.pgm") >plain.out 2>err || broken "it fails"
rm progress

scenario="heat2d over hosts"
over "$MPIRUN" -np 6 --map-by node -x HMF_RUN_DIR -x HMF_SPARE_HOSTS=node2 -x HMF_EVENTS="$PWD/events.jsonl" \
    "$@" moved "$HMF_SRCDIR/mpi-examples/floorplan.pgm" >out 2>err &
job=$!
at_step $((steps / 8))
"$hmf" status >status || broken "no status"
test "$(grep -c '^ *[0-9]  node[01]  running' status)" -eq 4 && test "$(grep -c '^ *node2  free' status)" -eq 2 ||
    { cat status; broken "the spares are not those of HMF_SPARE_HOSTS"; }
"$hmf" drain node1 >said 2>&1 || { cat said; broken "node1 is not drained"; }
cat said
"$hmf" status >status || broken "no status"
test "$(grep -c '^ *[0-9]  node2  running' status)" -eq 2 && ! grep -q '^ *[0-9]  node1 ' status ||
    { cat status; broken "not both ranks of node1 are on node2"; }
at_step "$(($(last_step) + 10))"
"$hmf" migrate 0 >said 2>&1 && broken "there is no spare left, but rank 0 was moved"
grep -q 'no spare is free' said || { cat said; broken "the refusal does not say why"; }
ended 0
cat err
# On a busy machine mpirun itself has something to say about the start of its daemons.
grep -v 'rank 0 stays\|plm:rsh: Warning' err | grep -q . && broken "something is on stderr"
cmp out plain.out && cmp plain.h5 moved.h5 || broken "the result differs from the undisturbed one"
test "$(grep -c '"event":"move"' events.jsonl)" -eq 2 && grep -q '"event":"end"' events.jsonl || broken "the events are not right"

scenario=ants
examples=$HMF_SRCDIR/mpi-examples
if test ! -x "$HMF_BUILDDIR/hmf-checktype" || test "$SANITIZERS" != none || test ! -f "$HMF_BUILDDIR/.libs/libhmf-mpi.so"; then
    echo "no hmf-checktype (libclang), no shared library, or sanitizers: ants are left out"
    exit 0
fi
# an installation, as far as hmfcc looks at it
mkdir -p inst/bin inst/include inst/lib
ln -s "$HMF_SRCDIR/include" inst/include/hmf-mpi
for file in "$HMF_BUILDDIR"/.libs/libhmf-mpi.so*; do ln -s "$file" inst/lib/; done
sed "s,^libdir=.*,libdir=\$prefix/lib," "$HMF_BUILDDIR/hmfcc" >inst/bin/hmfcc && chmod +x inst/bin/hmfcc
ln -s "$HMF_BUILDDIR/hmf-checktype" inst/bin/
sed 's/^        if ((left = auto_poll/        if (rank == 1 \&\& step == 1500) raise(SIGUSR2);\n&/' "$examples/ants_hmf.c" >ants.c
PATH=$PWD/inst/bin:$PATH hmfcc -Wall -Wextra -include signal.h ants.c -o ants || fail "ants.c is not compiled"
(export OMPI_MCA_btl=self,vader; hmf_run 3 0 "$HMF_BUILDDIR/mpi-examples/ants_plain") >plain.out 2>err || broken "undisturbed it fails"
HMF_LOG=info over "$MPIRUN" -np 4 --map-by node -x HMF_LOG=info -x HMF_SPARES=1 -x LD_LIBRARY_PATH="$PWD/inst/lib" \
    "$PWD/ants" >out 2>err || broken "it fails"
grep -q 'rank 1 moved from node1 to node' err || broken "rank 1 did not move"
sort plain.out >plain.sorted
sort out | cmp - plain.sorted || broken "the result differs from the undisturbed one"
grep 'rank 1 moved' err
exit 0
