# The tutorial as a new user follows it: every command of doc/tutorial.md is run, in its order; what it shows
# is what comes out, and its pieces of code are those of the program that it ends with.
# launch: limit=480
. "$HMF_SRCDIR/tests/lib.sh"
cd "$HMF_SCRATCH" || exit 99
page=$HMF_SRCDIR/doc/tutorial.md
tool=$HMF_BUILDDIR/hmf-checktype
test -x "$tool" || skip "hmf-checktype was not built: configure found no libclang"
test -n "$MPIRUN" || skip "no mpirun was found by configure"
command -v mpicc >/dev/null || skip "no mpicc in PATH"
. "$HMF_SRCDIR/tests/checktype/inst.sh"

# the code: each line of a block, in this order, in one place of the program
blocks() { awk -v want="$1" '/^```/ {on = on ? 0 : $0 == "```" want; if (on) n++; next} on {print n "\t" $0}' "$page"; }
blocks c >code
test -s code || fail "the tutorial shows no code"
for n in $(cut -f1 code | uniq); do
    awk -F'\t' -v n="$n" '$1 == n && $2 != "" {print $2}' code >block
    awk 'NR == FNR {want[++n] = $0; next} $0 == "" {next} {at = $0 == want[at + 1] ? at + 1 : $0 == want[1]} at == n {found = 1}
        END {exit !found}' block "$HMF_SRCDIR/mpi-examples/ants_hmf.c" || { cat block; fail "ants_hmf.c has another piece $n"; }
done

# the commands, each after the other, as one would type them
printf '#!/bin/sh\nexec timeout -k 5 %s "%s" "$@"\n' "$((${HMF_LIMIT_SCALE:-1} * 200))" "$MPIRUN" >inst/bin/mpirun
chmod +x inst/bin/mpirun
blocks console | cut -f2- | sed -n 's/^\$ //p' >commands
test "$(wc -l <commands)" -ge 20 || fail "the tutorial shows few commands"
{
    echo 'set -e'
    sed 's/^hmf-checktype --check .*/{ & || echo "not ready"; } >>check.out 2>\&1/; s/^until hmf status; do/& kill -0 $!;/' commands
} >script
# A source tree may be read-only, and so would be what is copied from it.
mkdir -p source/mpi-examples
for file in ants_plain.c ants_hmf.c; do
    cat "$HMF_SRCDIR/mpi-examples/$file" >"source/mpi-examples/$file"
done
HMF=$HMF_SCRATCH/source HMF_RUN_DIR=$HMF_SCRATCH/run sh -v script >out 2>err || { cat out err; fail "a command of the tutorial"; }
cat out

# what it shows of the check, and no finding the second time
{ sed -n '/^ants\.c:[0-9]*: /p' "$page"; echo "not ready"; } >wanted
cmp check.out wanted || { cat check.out; fail "the tutorial shows other findings"; }
grep -q '^rank 1 moved' out || fail "rank 1 did not move"
test "$(grep -c '^rank .* ants, led by' plain.out)" = 3 || { cat plain.out; fail "this is not the result of three ranks"; }
