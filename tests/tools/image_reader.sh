#!/bin/sh
# The independent reader prints every golden image as it should, and refuses damaged ones.
# UPDATE=1 rewrites the expected text.
command -v python3 > /dev/null || { echo "no python3"; exit 77; }
src=${HMF_SRCDIR:-.}
status=0
for image in "$src"/tests/golden/*.hmf; do
    want=${image%.hmf}.txt
    python3 "$src/tests/tools/image.py" "$image" > image.out || status=1
    [ -n "$UPDATE" ] && cp image.out "$want"
    cmp image.out "$want" || status=1
    head -c 1000 "$image" > cut.hmf
    python3 "$src/tests/tools/image.py" cut.hmf > /dev/null 2>&1 && { echo "cut off, but read"; status=1; }
done
exit $status
