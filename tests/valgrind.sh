# What was captured and restored leaves nothing behind and free() takes every block: unit tests of
# images and graphs under valgrind, which wants no error and no byte lost.
# launch: limit=400
. "$HMF_SRCDIR/tests/lib.sh"
test "$SANITIZERS" = none || skip "valgrind does not run instrumented programs"
command -v valgrind >/dev/null || skip "no valgrind (Debian: valgrind)"

for test in test_graph test_heap test_image test_batch test_edges test_padding test_language \
    test_forms test_length test_object; do
    program=$HMF_BUILDDIR/tests/unit/$test
    test -x "$program" || skip "$test was not built: no CUnit"
    valgrind -q --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all \
        --error-exitcode=9 --log-file="$test.valgrind" "$program" >"$test.out" 2>&1 ||
        { cat "$test.out" "$test.valgrind"; fail "$test under valgrind"; }
    test ! -s "$test.valgrind" || { cat "$test.valgrind"; fail "$test: valgrind has something to say"; }
    grep -h asserts "$test.out"
done
