# Every warning and error that the library prints by itself is in the table of doc/operations.md.
. "$HMF_SRCDIR/tests/lib.sh"
command -v python3 >/dev/null || skip "no python3"
cd "$HMF_SRCDIR" || exit 99
exec python3 - <<'PYTHON'
import glob, re, sys
table = []
for line in open("doc/operations.md", encoding="utf-8"):
    if line.startswith("| `"):
        table += re.findall(r"`([^`]*)`", line.split(" | ")[0])
patterns = [re.compile(".*?".join(re.escape(p) for p in t.split("%")), re.S) for t in table]
missing = 0
text = r'"((?:[^"\\]|\\.)*)"'
for name in sorted(glob.glob("src/*.c")):
    for call in re.finditer(r'hmf__log\(([^;]*?)' + text + r'((?:\s*' + text + ')*)', open(name, encoding="utf-8").read()):
        level = call.group(1)
        if ("INFO" in level or "DEBUG" in level) and "?" not in level:
            continue
        message = call.group(2) + "".join(re.findall(text, call.group(3)))
        if message in ("%s", "%s: %s", "rank %d: %s", "%s:%d: variable %s: %s"):
            continue                        # an error's own text
        if not any(p.match(message) for p in patterns):
            print(f"{name}: not in doc/operations.md: {message}")
            missing = 1
sys.exit(missing)
PYTHON
