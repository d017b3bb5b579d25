# Runs benchmarks, a line a case: sh bench/run.sh CASE...    ("make bench" does; see bench.mk)
# A case is [N+S:]bench/program[:ARG]..., or "overhead" for the examples with and without the library.

. "$HMF_SRCDIR/tests/lib.sh"
HMF_LIMIT=200
status=0
folder=$(mktemp -d "${TMPDIR:-/tmp}/hmf-bench.XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

for case in "$@"; do
    rm -rf "$folder"/*
    if test "$case" = overhead; then
        sh "$HMF_SRCDIR/bench/overhead.sh" || status=1
        continue
    fi
    words=$(echo "$case" | tr : ' ')
    first=${words%% *}
    case $first in
    *+*)
        ranks=${first%+*} spares=${first#*+}
        set -- ${words#* }
        program=$1
        shift
        hmf_run "$ranks" "$spares" "$HMF_BUILDDIR/$program" "$@" ;;
    *)
        set -- $words
        program=$1
        shift
        timeout -k 5 "$HMF_LIMIT" "$HMF_BUILDDIR/$program" "$@" ;;
    esac || { echo "$case: failed" >&2; status=1; }
done
exit $status
