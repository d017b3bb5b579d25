# hmf-checktype: what it writes is what is kept in the tree, compiles everywhere without a warning, and
# what it cannot describe it says with file, line and the mark to write.
# launch: limit=240
. "$HMF_SRCDIR/tests/lib.sh"
tool=$HMF_BUILDDIR/hmf-checktype
test -x "$tool" || skip "hmf-checktype was not built: configure found no libclang"
cd "$HMF_SCRATCH" || exit 99
include=$HMF_SRCDIR/include
here=$HMF_SRCDIR/tests/checktype

# --- the files in the tree are what the tool writes today, each time
for header in "$here"/*.h "$HMF_SRCDIR"/mpi-examples/*.h; do
    kept=${header%.h}.types.c
    test -f "$kept" || continue
    name=$(basename "$header")
    cat "$header" >"$name"
    for time in 1 2; do
        "$tool" -o "${name%.h}.types.c" "$name" -I"$include" || fail "$name cannot be described"
        cmp "${name%.h}.types.c" "$kept" || fail "$kept is out of date: run hmf-checktype on $name"
    done
done

# ... and those of sources, which stand at their end or are a source of their own
. "$HMF_BUILDDIR/tests/lists.sh"
sources=0
for source in "$HMF_SRCDIR"/mpi-examples/*.c; do
    for kept in "${source%.c}.types.h" "${source%.c}.types.c"; do
        test -f "$kept" || continue
        "$tool" -o appended "$source" -I"$include" $MPI_CFLAGS $HDF5_CFLAGS || fail "$source cannot be described"
        cmp appended "$kept" || fail "$kept is out of date: make descriptions"
        sources=$((sources + 1))
    done
done
test $sources -ge 7 || fail "only $sources examples have descriptions"

# --- any compiler, C and C++, this machine and others
for cc in "$CC -std=c11 -pedantic" "$CC -std=gnu99" "gcc -m32" "g++ -x c++" "clang -std=c11 -pedantic" \
    "clang++ -x c++" i686-linux-gnu-gcc s390x-linux-gnu-gcc aarch64-linux-gnu-gcc powerpc-linux-gnu-gcc \
    arm-linux-gnueabihf-gcc m68k-linux-gnu-gcc; do
    echo '#include <stdint.h>' >probe.c
    $cc -c probe.c -o probe.o 2>/dev/null || { echo "$cc: not here"; continue; }
    for file in *.types.c; do
        $cc -Wall -Wextra -Werror -I"$include" -c "$file" -o probe.o || fail "$cc does not like $file"
    done
    echo "$cc: good"
done

# --- a struct that has changed since does not compile; one field would fit into no padding
sed 's/    size_t size;/    size_t size; double added;/' "$here/shapes.h" >shapes.h
$CC -I"$include" -c shapes.types.c -o probe.o 2>err && fail "an old description of a struct compiles"
grep -q 'mix_ssize_has_changed_run_hmf_checktype_again' err || { cat err; fail "this does not say what to do"; }

# --- what cannot be described: refused LINE TEXT <<source
number=0
refused() {
    number=$((number + 1))
    { echo '#include <hmf/checktype.h>'; cat; } >bad$number.h
    "$tool" -o bad.c bad$number.h -I"$include" >out 2>err
    status=$?
    cat bad$number.h err
    test $status = 1 || fail "exit status $status instead of 1"
    test ! -e bad.c || fail "something was written"
    grep -qF "bad$number.h:$1" err || fail "line $1 is not named"
    grep -qF "$2" err || fail "it does not say: $2"
}

refused 2:33 "expected ';'" <<'C'
checktype typedef struct { int a int b; } s;
C
refused 2: "write HMF_LEN(field)" <<'C'
checktype typedef struct { double *v; } s;
C
refused 2: "struct s, field t: char *: write HMF_STRING" <<'C'
checktype typedef struct s { char *t; } s;
C
refused 2: 'struct s has no field "n"' <<'C'
checktype typedef struct s { double *v HMF_LEN(n); int m; } s;
C
refused 2: 'the field "n" is double, not an integer' <<'C'
checktype typedef struct s { double *v HMF_LEN(n), n; } s;
C
refused 2: 'struct s has no field "k"' <<'C'
checktype typedef struct s { double *v HMF_LEN(n * (m + k)); int n, m; } s;
C
refused 2: 'with + - * / and parentheses' <<'C'
checktype typedef struct s { double *v HMF_LEN(n % 2); int n; } s;
C
refused 2: 'with + - * / and parentheses' <<'C'
checktype typedef struct s { double *v HMF_LEN(2 * (n ? 1 : 2)); int n; } s;
C
refused 2: 'struct t has no field "m"' <<'C'
checktype typedef struct s { double *v HMF_LEN(t.m + 1); struct t { int n; } t; } s;
C
refused 2: 'an index is a number' <<'C'
checktype typedef struct s { double *v HMF_LEN(t[n]); int t[2], n; } s;
C
refused 2: 'the field "t" is int' <<'C'
checktype typedef struct s { double *v HMF_LEN(t * 2); int t[2], n; } s;
C
refused 2: 'has no member that is always there' <<'C'
checktype typedef struct s { double *v HMF_LEN(u.n); union { int n; float f; } u HMF_AS(n); } s;
C
refused 2: 'is not saved as a number' <<'C'
checktype typedef struct s { double *v HMF_LEN(n); int n HMF_TRANSIENT; } s;
C
refused 2: 'unknown annotation "hmf:often"' <<'C'
checktype typedef struct s { int n __attribute__((annotate("hmf:often"))); } s;
C
refused 2: 'HMF_LEN belongs to pointers' <<'C'
checktype typedef struct s { int m, n HMF_LEN(m); } s;
C
refused 2: 'HMF_BLOCK belongs to pointers' <<'C'
checktype typedef struct s { int m HMF_BLOCK; } s;
C
refused 2: 'HMF_STRING belongs to char' <<'C'
checktype typedef struct s { int *m HMF_STRING; } s;
C
refused 2: 'which member holds? Write HMF_SWITCH(field)' <<'C'
checktype typedef struct s { union { int i; float f; } u; } s;
C
refused 2: 'HMF_SWITCH(kind): struct s has no field "kind"' <<'C'
checktype typedef struct s { union { int i HMF_CASE(0); float f HMF_DEFAULT; } u HMF_SWITCH(kind); } s;
C
refused 2: 'HMF_SWITCH(h.kind): struct h has no field "kind"' <<'C'
checktype typedef struct s { struct h { int k; } h; union { int i HMF_CASE(0); } u HMF_SWITCH(h.kind); } s;
C
refused 2: 'HMF_SWITCH(h.k + 1): a field, or a path to one' <<'C'
checktype typedef struct s { struct h { int k; } h; union { int i HMF_CASE(0); } u HMF_SWITCH(h.k + 1); } s;
C
refused 2: 'a union of pointers and other things' <<'C'
checktype typedef struct s { union { long i; struct s *f; } u; } s;
C
refused 2: 'void *: what does it lead to?' <<'C'
checktype typedef struct s { void *p; } s;
C
refused 2: 'there is no type of that name' <<'C'
checktype typedef struct s { void *p HMF_POINTS_TO(struct nobody); } s;
C
refused 3: 'an open file (FILE) belongs to the process' <<'C'
#include <stdio.h>
checktype typedef struct s { FILE *p; } s;
C
refused 4: 'a place in the stack (jmp_buf)' <<'C'
#include <setjmp.h>
#include <stdarg.h>
checktype typedef struct s { jmp_buf b; } s;
C
refused 3: 'a list of arguments (va_list)' <<'C'
#include <stdarg.h>
checktype typedef struct s { va_list b; } s;
C
refused 3: 'a lock (pthread_mutex_t)' <<'C'
#include <pthread.h>
checktype typedef struct s { pthread_mutex_t lock[2]; } s;
C
refused 3: 'struct hidden is defined elsewhere' <<'C'
struct hidden;
checktype typedef struct s { struct hidden *p; } s;
C
refused 2: '2 lengths, but int * has room for 1' <<'C'
checktype typedef struct s { int *p HMF_LEN(n, n); int n; } s;
C
refused 2: 'HMF_LEN and HMF_ONE contradict each other' <<'C'
checktype typedef struct s { int *p HMF_LEN(n) HMF_ONE; int n; } s;
C
refused 2: 'HMF_LEN and HMF_STRING contradict each other' <<'C'
checktype typedef struct s { char *t HMF_STRING HMF_LEN(n); int n; } s;
C
refused 2: 'a division by zero' <<'C'
checktype typedef struct s { int *p HMF_LEN(n / 0); int n; } s;
C
refused 2: 'a number that is too large' <<'C'
checktype typedef struct s { int *p HMF_LEN(99999999999999999999); } s;
C
refused 2: 'HMF_CASE belongs to members of unions' <<'C'
checktype typedef struct s { int k HMF_CASE(1); } s;
C
refused 2: 'member b: HMF_CASE(2, 1): a second one of 1' <<'C'
checktype typedef struct s { int k; union { int a HMF_CASE(1); float b HMF_CASE(2, 1); } u HMF_SWITCH(k); } s;
C
refused 2: 'member a: HMF_CASE(): a value is missing' <<'C'
checktype typedef struct s { int k; union { int a HMF_CASE(); float b HMF_CASE(1); } u HMF_SWITCH(k); } s;
C
refused 2: 'f is a function' <<'C'
checktype int f(void);
C
refused 2: 'a 128-bit integer cannot be described' <<'C'
checktype typedef struct s { __int128 big; } s;
C
echo '#include <hmf/checktype.h>
checktype typedef struct s { __int128 big HMF_OPAQUE, none HMF_TRANSIENT; } s;' >big.h
"$tool" -o big.types.c big.h -I"$include" || fail "__int128 as bytes"
$CC -Wall -Wextra -Werror -I"$include" -c big.types.c -o big.o || fail "__int128 as bytes does not compile"
refused 3: 'incomplete type' <<'C'
checktype typedef struct s {
    struct s inside;
} s;
C
{
    echo 'struct d0 { int x; };'
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33; do
        echo "struct d$i { struct d$((i - 1)) x; };"
    done
    echo 'checktype typedef struct d33 deep;'
} >deep
refused 35: 'nested more than 32 deep' <deep

# --- a check of several sources: functions that nobody will know by a name
cat >rule.h <<'C'
typedef struct rule { int (*apply)(int); struct rule *next; } rule_t;
C
printf '#include "rule.h"\nstatic int once(int n) { return n; }\nrule_t *r(rule_t *x) { x->apply = once; return x; }\n' >rule.c
printf '#include "rule.h"\nint twice(int n) { return 2 * n; }\nstatic int f(rule_t *x) { return x->apply(2); }\nint g(void) { rule_t x = {twice, 0}; return f(&x); }\n' >more.c
"$tool" --check rule.c more.c 2>err || { cat err; fail "warnings alone are no failure"; }
grep -q 'rule.c:3: warning: static function once: a pointer in a described type may lead to it' err || { cat err; fail "once"; }
test "$(wc -l <err)" = 1 || { cat err; fail "more was found than there is"; }

# --- the command line
"$tool" >out 2>err; test $? = 2 || fail "no file is wrong usage"
"$tool" --nothing x.h >out 2>err; test $? = 2 || fail "an unknown option is wrong usage"
"$tool" --help >out 2>err || fail "--help"
"$tool" missing.h >out 2>err; test $? = 1 || fail "a missing file was read"
test ! -s out || fail "something was written"
grep -q 'missing.h' err || { cat err; fail "the missing file is not named"; }
echo 'struct x { int a; };' >plain.h
"$tool" --type="struct x" -o plain.types.c plain.h -I"$include" || fail "--type of an unmarked type"
grep -q '"struct x"' plain.types.c || fail "--type gave no description"
"$tool" --type="struct y" -o p.c plain.h 2>err && fail "a type that is not there was described"
grep -q 'struct y' err || fail "the type that is not there is not named"

# --- code of other people and our own: it may find much, it must not fail
for header in zlib.h sqlite3.h hdf5.h mpi.h png.h expat.h openssl/ssl.h hwloc.h libxml/tree.h curl/curl.h; do
    for path in /usr/include/$header /usr/include/*/$header /usr/include/hdf5/serial/$header \
        /usr/lib/*/openmpi/include/$header; do
        test -f "$path" && break
    done
    test -f "$path" || { echo "$header: not here"; continue; }
    "$tool" --check "$path" -I"$(dirname "$path")" -I"$(dirname "$(dirname "$path")")" >out 2>err
    status=$?
    test $status -le 1 || { tail err; fail "$header: exit status $status"; }
    echo "$header: $(grep -c error: err) errors, $(grep -c warning: err) warnings"
done
"$tool" --check "$HMF_SRCDIR"/src/walk.c "$HMF_SRCDIR"/src/agent.c "$HMF_SRCDIR"/src/check_save.c -I"$HMF_SRCDIR/src" \
    -I"$include" -I"$HMF_BUILDDIR" >out 2>err
test $? = 1 || { tail err; fail "our own sources"; }
grep -q 'agent.h:[0-9]*: error: struct hmf__agent, field thread: a thread (pthread_t)' err || fail "the agent's thread was missed"
echo "our own: $(grep -c error: err) errors"
