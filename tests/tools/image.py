#!/usr/bin/env python3
"""Prints an image stream; written from doc/image-format.md alone, as a proof that it suffices.

Shares no code with the library.  Exits 1 with a message when the bytes are not an image.
"""
import struct
import sys

NONE = 0xFFFFFFFF
KINDS = {1: "integer", 2: "float", 3: "complex", 4: "opaque", 5: "pointer", 6: "function",
         7: "handle", 8: "bit-field", 9: "transient", 16: "array", 17: "struct", 18: "union",
         19: "text", 20: "string", 21: "void", 22: "flexible array"}
SECOND = (7, 8, 18, 22)  # kinds of version 2


def crc_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ 0x82F63B78 if n & 1 else n >> 1
        table.append(n)
    return table


TABLE = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def need(condition, what):
    if not condition:
        sys.exit("image.py: " + what)


class Reader:
    def __init__(self, data):
        self.data, self.pos = data, 0

    def take(self, n):
        need(0 <= n <= len(self.data) - self.pos, "cut off at byte %d" % self.pos)
        self.pos += n
        return self.data[self.pos - n:self.pos]

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize(form)))[0]

    def string(self):
        return self.take(self.number("I")).decode("utf-8", "replace")


class Type:
    pass


class Meta:
    def __init__(self, data):
        r = Reader(data)
        need(r.take(8) == b"HMFIMAGE", "no image")
        self.version = r.number("I")
        need(self.version in (1, 2, 3), "unknown version")
        need(r.number("I") == len(data), "wrong length of the meta")
        need(crc32c(data[:-4]) == struct.unpack("<I", data[-4:])[0], "checksum of the meta")
        abi = r.take(8)
        self.order = ">" if abi[0] else "<"
        self.pointer, self.ldouble, self.ldouble_size = abi[1], abi[4], abi[5]
        ntypes, ntables, nroots = r.number("I"), r.number("I"), r.number("I")
        self.types = [self.type(r) for _ in range(ntypes)]
        for t in self.types:
            self.count(t)
        first = 0
        self.tables = []
        for _ in range(ntables):
            t = Type()
            t.type, t.blocks, t.rows = self.types[r.number("I")], r.number("Q"), r.number("Q")
            t.flags, t.first = r.number("B"), first
            first += t.blocks
            self.tables.append(t)
        self.roots = []
        for _ in range(nroots):
            x = Type()
            x.name, x.type = r.string(), self.types[r.number("I")]
            x.count, x.block, x.row, x.leaf = (r.number("Q") for _ in range(4))
            x.inside = r.number("B")
            self.roots.append(x)
        need(r.pos == len(data) - 4, "bytes left in the meta")

    def type(self, r):
        t = Type()
        t.kind, t.flags, t.number, t.align = (r.number(f) for f in "BBII")
        need(t.kind in KINDS, "unknown kind %d" % t.kind)
        need(self.version >= 2 or t.kind not in SECOND, "a kind of version 2")
        t.size, t.count, t.elem = (r.number(f) for f in "QQI")
        t.length, t.field, t.up, t.name = r.number("B"), r.number("I"), r.number("I"), r.string()
        t.fields = [(r.string(), r.number("Q"), r.number("I"), r.number("I"), r.number("q"))
                    for _ in range(r.number("I"))]
        t.steps = []
        if t.kind == 18 and t.length == 3:
            need(self.version == 3, "a path to a discriminant in an old version")
            t.steps = [r.number("I") for _ in range(r.number("I"))]
        return t

    def count(self, t):
        """Leaves and slots; parts come before the whole."""
        if t.kind == 16:
            t.leaves = t.count * self.types[t.elem].leaves
            t.slots = t.count * self.types[t.elem].slots
        elif t.kind in (17, 18):
            t.leaves = sum(self.types[f[2]].leaves for f in t.fields)
            t.slots = sum(self.types[f[2]].slots for f in t.fields)
        else:
            t.leaves = t.count if t.kind == 19 else int(t.kind not in (21, 22))
            t.slots = int(t.kind in (5, 6, 7))

    def segments(self):
        """(kind, table, bytes) in the order of the stream."""
        for t in self.tables:
            if t.flags & 1:
                yield "counts", t, 8 * t.blocks
        for t in self.tables:
            if t.type.kind == 17 and self.types[t.type.fields[-1][2]].kind == 22:
                yield "tails", t, 4 * t.blocks
        for t in self.tables:
            yield "data", t, t.rows * t.type.size
            if t.type.slots:
                yield "blocks", t, 4 * t.rows * t.type.slots
            if t.flags & 2:
                yield "leaves", t, 8 * t.rows * t.type.slots

    def text(self, t):
        """A type in a few words."""
        if t.kind == 16:
            return "%s [%d]" % (self.text(self.types[t.elem]), t.count)
        if t.kind == 17:
            return "struct %s" % (t.name or "{%s}" % ", ".join(f[0] for f in t.fields))
        if t.kind == 18:
            return "union %s" % (t.name or "{%s}" % ", ".join(f[0] for f in t.fields))
        return "%s of %d bytes" % (KINDS[t.kind], t.size)


class Printer:
    def __init__(self, meta, parts, out):
        self.m, self.parts, self.out = meta, parts, out

    def real(self, raw):
        if len(raw) in (4, 8):
            return repr(struct.unpack(self.m.order + ("f" if len(raw) == 4 else "d"), raw)[0])
        if self.m.order == ">":
            raw = raw[::-1]
        if self.m.ldouble == 2:  # x87: 64 bits with a leading one, 15 of exponent
            fraction, e = struct.unpack("<QH", raw[:10])
            return repr((-1) ** (e >> 15) * fraction * 2.0 ** ((e & 0x7FFF) - 16383 - 63))
        if self.m.ldouble == 3:
            v = int.from_bytes(raw, "little")
            e, fraction = v >> 112, v & ((1 << 112) - 1)
            if e & 0x7FFF:
                fraction += 1 << 112
            return repr((-1) ** (e >> 15) * (fraction / 2.0 ** 112) *
                        2.0 ** ((e & 0x7FFF) - 16383))
        return "0x" + raw.hex()

    def reference(self, slot):
        table, refs = slot["table"], self.parts[slot["table"], "blocks"]
        k = slot["next"]
        slot["next"] += 1
        ref = struct.unpack_from(self.m.order + "I", refs, 4 * k)[0]
        if not ref:
            return "NULL"
        leaf = 0
        if table.flags & 2:
            leaf = struct.unpack_from(self.m.order + "Q", self.parts[table, "leaves"], 8 * k)[0]
        text = "-> block %d" % (ref - 1)
        if leaf >> 63:
            return text + " behind leaf %d" % (leaf & ~(1 << 63))
        return text + (" leaf %d" % leaf if leaf else "")

    def integer(self, t, raw):
        return int.from_bytes(raw, "big" if self.m.order == ">" else "little",
                              signed=bool(t.flags & 1))

    def bits(self, t, raw, skip):
        """A bit-field in its bytes, the first `skip` bits of which belong to others."""
        n = t.count
        if self.m.order == ">":
            v = int.from_bytes(raw, "big") >> (8 * len(raw) - skip - n)
        else:
            v = int.from_bytes(raw, "little") >> skip
        v &= (1 << n) - 1
        return v - (1 << n) if t.flags & 1 and v >> (n - 1) else v

    def field(self, t, f, raw, slot, around):
        """Field f of a struct t: its text."""
        _, at, n, _, skip = f
        y = self.m.types[n]
        if y.kind == 8:
            end = at + (skip + y.count + 7) // 8
            return "" if y.flags & 16 else str(self.bits(y, raw[at:end], skip))
        if y.kind == 22:
            tail = struct.unpack_from(self.m.order + "I", self.parts[slot["table"], "tails"],
                                      4 * slot["block"])[0]
            return "block %d behind it" % (tail - 1) if tail else "nothing behind it"
        return self.value(y, raw[at:at + y.size], slot, around)

    def discriminant(self, t, raw, around):
        """The value that tells which branch of union t holds."""
        if t.length:
            s, bytes_of_it = around[-1 - t.up]
            _, at, n, _, skip = s.fields[t.field]
            y = self.m.types[n]
            for step in t.steps:  # into that field
                if y.kind == 17:
                    _, inner, n, _, skip = y.fields[step]
                    at += inner
                else:
                    n, skip = y.elem, 0
                    at += step * self.m.types[n].size
                y = self.m.types[n]
            if y.kind == 8:
                return self.bits(y, bytes_of_it[at:at + (skip + y.count + 7) // 8], skip)
            return self.integer(y, bytes_of_it[at:at + y.size])
        while t.kind != 1:  # what its first branch begins with
            t = self.m.types[t.elem if t.kind == 16 else t.fields[0][2]]
        return self.integer(t, raw[:t.size])

    def branch(self, t, raw, slot, around):
        v = self.discriminant(t, raw, around)
        text = None
        for k, (name, _, n, _, value) in enumerate(t.fields):
            y = self.m.types[n]
            last = t.flags & 8 and k == len(t.fields) - 1
            if text is None and (last or value == v):
                text = "%s = %s" % (name, self.value(y, raw[:y.size], slot, around))
            else:
                slot["next"] += y.slots
        need(text is not None, "a discriminant that selects no branch")
        return "{%s}" % text

    def value(self, t, raw, slot, around=()):
        if t.kind == 1:
            return str(self.integer(t, raw))
        if t.kind == 2:
            return self.real(raw)
        if t.kind == 3:
            half = t.size // 2
            return "(%s, %s)" % (self.real(raw[:half]), self.real(raw[half:]))
        if t.kind in (5, 6, 7):
            return self.reference(slot)
        if t.kind == 16:
            e = self.m.types[t.elem]
            return "[%s]" % ", ".join(
                self.value(e, raw[i * e.size:(i + 1) * e.size], slot, around)
                for i in range(t.count))
        if t.kind == 17:
            inner = tuple(around) + ((t, raw),)
            return "{%s}" % ", ".join(
                "%s = %s" % (f[0], self.field(t, f, raw, slot, inner)) for f in t.fields)
        if t.kind == 18:
            return self.branch(t, raw, slot, around)
        if t.kind == 19:
            return repr(raw.split(b"\0")[0].decode("latin-1"))
        if t.kind == 9:
            return "(not saved)"
        return raw.hex()

    def table(self, t):
        data, at, size = self.parts[t, "data"], 0, t.type.size
        slot = {"table": t, "next": 0}
        counts = self.parts.get((t, "counts"))
        for b in range(t.blocks):
            rows = struct.unpack_from(self.m.order + "Q", counts, 8 * b)[0] if counts else 1
            slot["block"] = b
            if t.type.kind == 20:
                text = data[at:at + rows].split(b"\0")[0].decode("latin-1")
                self.out.write("block %d: %r\n" % (t.first + b, text))
            else:
                self.out.write("block %d: %s\n" % (t.first + b, ", ".join(
                    self.value(t.type, data[at + i * size:at + (i + 1) * size], slot)
                    for i in range(rows))))
            at += rows * size
        need(at == len(data), "the counts do not add up")


def main():
    need(len(sys.argv) == 2, "usage: image.py FILE")
    with open(sys.argv[1], "rb") as f:
        r = Reader(f.read())
    need(r.take(8) == b"HMFSTREA" and r.number("I") == 1, "no stream of version 1")
    nsegments = r.number("I")
    meta = Meta(r.take(r.number("Q")))
    parts = {}
    for kind, table, size in meta.segments():
        need(r.number("Q") == size, "wrong length of a segment")
        parts[table, kind] = r.take(size)
        need(crc32c(parts[table, kind]) == r.number("I"), "checksum of a segment")
    need(len(parts) == nsegments, "wrong number of segments")
    need(r.take(4) == b"HEND" and r.pos == len(r.data), "wrong end")
    for x in meta.roots:
        where = "leaf %d of " % x.leaf if x.inside else ""
        print("%s: %d x %s in %sblock %d" % (x.name, x.count, meta.text(x.type), where, x.block))
    printer = Printer(meta, parts, sys.stdout)
    for t in meta.tables:
        print("table of %s:" % meta.text(t.type))
        printer.table(t)


if __name__ == "__main__":
    main()
