#!/bin/sh
# Checks the model of the move protocol (tests/model/move.pml) with spin: it holds; and with one step
# left out at a time spin finds what goes wrong then, so the model is not blind.
# launch: limit=170
. "$HMF_SRCDIR/tests/lib.sh"
command -v spin > /dev/null || skip "spin is not installed"

# check NAME: builds and runs the checker; what it says is in NAME.out.
check() {
    spin ${2:+-D$2} -a "$HMF_SRCDIR/tests/model/move.pml" > "$1.log" 2>&1 &&
        $CC -O0 -w -DSAFETY -o "$1" pan.c >> "$1.log" 2>&1 || { cat "$1.log"; fail "the model does not compile"; }
    "./$1" -m100000 > "$1.out" 2>&1
    grep -q 'Search not completed' "$1.out" && test "$1" = whole && fail "the search is not complete"
    sed -n 's/.*errors: \([0-9]*\).*/\1/p' "$1.out"
}

errors=$(check whole)
test "$errors" = 0 || { cat whole.out; fail "the protocol: ${errors:-no} errors"; }
for left_out in NO_CONFIRM NO_ABORT NO_WATCH EARLY NO_ACK; do
    errors=$(check "$left_out" "$left_out")
    test "$errors" = 1 || { cat "$left_out.out"; fail "nothing is found with $left_out"; }
    echo "$left_out: $(sed -n 's/^pan:1: //p' "$left_out.out")"
done
exit 0
