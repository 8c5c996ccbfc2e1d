"""A real libpython cut small: header, program headers, a few symbols and their names, and the section of _PyRuntime."""

import struct, sys

WANTED = [b"_PyRuntime", b"Py_Version", b"PyCode_Type", b"PyUnicode_Type", b"PyBytes_Type", b"Py_Initialize", b"Py_Main"]

def cut(data):
    assert data[:6] == b"\x7fELF\x02\x01", "an ELF file of 64 bits, little-endian"
    phoff, shoff = struct.unpack_from("<QQ", data, 32)
    phentsize, phnum, shentsize, shnum, shstrndx = struct.unpack_from("<HHHHH", data, 54)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
    def name(table, offset):
        start = table[4] + offset
        return data[start : data.index(b"\0", start)]
    dynsym = next(s for s in sections if s[1] == 11)
    names = sections[dynsym[6]]
    runtime = next((s for s in sections if name(sections[shstrndx], s[0]) == b".PyRuntime"), None)
    # Sections in the order: none, .PyRuntime, .dynsym, .dynstr, .shstrtab.
    symbols, strings = bytearray(24), bytearray(1)
    for at in range(dynsym[4], dynsym[4] + dynsym[5], 24):
        symbol = struct.unpack_from("<IBBHQQ", data, at)
        if name(names, symbol[0]) in WANTED:
            symbols += struct.pack("<IBBHQQ", len(strings), symbol[1], symbol[2], 1, *symbol[4:])
            strings += name(names, symbol[0]) + b"\0"
    headers = b"\0.PyRuntime\0.dynsym\0.dynstr\0.shstrtab\0"
    out = bytearray(data[:64]) + data[phoff : phoff + phentsize * phnum]
    struct.pack_into("<Q", out, 32, 64)
    places = []
    for part in (symbols, strings, headers):
        places.append((len(out), len(part)))
        out += part
    out += bytes(-len(out) % 8)
    struct.pack_into("<Q", out, 40, len(out))
    struct.pack_into("<HHH", out, 58, 64, 5, 4)
    header = lambda n, kind, flags, address, place, link, info, entry: struct.pack(
        "<IIQQQQIIQQ", headers.index(n) if n else 0, kind, flags, address, *place, link, info, 8, entry
    )
    out += header(b"", 0, 0, 0, (0, 0), 0, 0, 0)
    at = runtime or (0, 0, 3, 0, 0, 0)
    out += header(b".PyRuntime", 8, 3, at[3], (at[4], at[5]), 0, 0, 0)
    out += header(b".dynsym", 11, 2, 0, places[0], 3, 1, 24)
    out += header(b".dynstr", 3, 2, 0, places[1], 0, 0, 0)
    out += header(b".shstrtab", 3, 0, 0, places[2], 0, 0, 0)
    return bytes(out)

library, target = sys.argv[1:]
with open(library, "rb") as file, open(target, "wb") as out:
    # How to read the rest, and three mappings: the first page, and two pages of code.
    out.write(bytes([0, 0x00, 0x81, 0xb0]) + cut(file.read()))
