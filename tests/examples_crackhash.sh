# crackhash on 2 ranks: finds the same passwords after the same number of candidates.
# launch: limit=240
. "$HMF_SRCDIR/tests/examples_lib.sh"

program=$HMF_BUILDDIR/mpi-examples/crackhash
test -x "$program" || skip "crackhash was not built: no crypt(3)"

# A part of the words is enough here: candidates / (2 ranks x 8 in a round), rounded up.
awk 'NR % 4 == 0 || /harbour|planet|maple|zenith|quartz/' \
    "$HMF_SRCDIR/mpi-examples/crackhash-words.txt" | tr ' ' '\n' >words.txt
words=$(wc -l <words.txt)
ranks=2 steps=$(((words * 110 + 15) / 16)) results=
set -- "$program" -p progress "$HMF_SRCDIR/mpi-examples/crackhash-demo.txt" \
    "$HMF_SCRATCH/words.txt"
undisturbed "$@"
grep -q '^ada *harbour$' out || broken "a password was not found"
grep -q '^5 of 6 found' out || broken "not all passwords were found"
moved "$@"
stopped "$@"
