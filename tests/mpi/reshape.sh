# A job is stopped and continued on other numbers of ranks: the result is that of the undisturbed run, bit by bit.
# launch: limit=240
. "$HMF_SRCDIR/tests/lib.sh"

program=$HMF_BUILDDIR/tests/mpi/reshape
HMF_DIR=$PWD/state
export HMF_DIR

HMF_DIR=$PWD/none hmf_run 4 0 "$program" 120 >undisturbed || fail "the undisturbed run: $(cat undisturbed)"
want=$(grep result undisturbed) || fail "no result: $(cat undisturbed)"

# run RANKS STOP: one life of the job, from where the one before stopped
at=0
run() {
    hmf_run "$1" 0 "$program" 120 $2 >out 2>err || fail "on $1 ranks: $(cat out err)"
    test ! -s err || fail "on $1 ranks: $(cat err)"
    test $at = 0 || grep -q "continued at $at on $1 ranks" out || fail "not continued at $at on $1 ranks: $(cat out)"
    at=$2
}
run 4 30
run 3 50
"$HMF_BUILDDIR/hmf" verify "$HMF_DIR" >verified || fail "$(cat verified)"
"$HMF_BUILDDIR/hmf" inspect "$HMF_DIR" >inspected || fail "$(cat inspected)"
grep -q "u  *global array of 48 x 48, 2304 elements in 3 pieces" inspected || fail "inspect: $(cat inspected)"
grep -q "step  *equal on all ranks" inspected || fail "inspect: $(cat inspected)"
"$HMF_BUILDDIR/hmf" inspect "$HMF_DIR" --json >inspected || fail "$(cat inspected)"
grep -q '"name": "u", "equal": false, "shape": \[48, 48\], "elements": 2304, "pieces": 3}' inspected &&
    grep -q '"name": "step", "equal": true}' inspected || fail "inspect: $(cat inspected)"
run 6 70
run 1 ""
test "$(grep result out)" = "$want" || fail "$(grep result out), not $want"

# Written in the background, and on as many ranks.
rm -rf "$HMF_DIR"
HMF_CHECKPOINT=async at=0
export HMF_CHECKPOINT
run 3 30
run 3 50
run 2 ""
test "$(grep result out)" = "$want" || fail "async: $(grep result out), not $want"

# What was not declared is named, on another number of ranks only.
rm -rf "$HMF_DIR"
at=0
UNDECLARED=1
export UNDECLARED
run 2 30
hmf_run 3 0 "$program" 40 >out 2>err
grep -q "variable step was not declared to be a part of a global array" err || fail "not told: $(cat out err)"
grep -q "begins afresh" err || fail "not told that it begins afresh: $(cat err)"
run 2 ""
test "$(grep result out)" = "$want" || fail "$(grep result out), not $want"
