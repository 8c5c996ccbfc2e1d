# S20: code objects that are legal and hostile: location tables that say nothing, that go back, that are empty; line numbers
# near the limits; names of 600 characters, of 2 and of 4 bytes a character.


def setup_odd_code(repeats, empty):
    text = []
    calls = []

    def odd(name, body, **changes):
        text.append((name, body, changes))

    call = "    return {next}(k)"
    odd("plain", call)
    odd("back", "    return max(\n        k,\n        {next}(\n            k,\n        ),\n    )")
    if empty:
        odd("empty_table", call, co_linetable=b"")
    odd("no_location", call, co_linetable=None)
    odd("long_name", call, co_name="n" * 600, co_qualname="q" * 600, co_filename="f" * 600)
    odd("ucs2", call, co_name="\u0431" * 40, co_qualname="\u0431" * 40, co_filename="\u0431" * 40)
    odd("ucs4", call, co_name="\U0001f40d" * 40, co_qualname="\U0001f40d" * 40, co_filename="\U0001f40d" * 40)
    odd("high_line", call, co_firstlineno=2**31 - 1000)
    odd("line_0", call, co_firstlineno=0)
    odd("last", "    return k")
    namespace = {}
    functions = {}
    names = [name for name, *_ in text] + [""]
    for (name, body, changes), following in zip(text, names[1:]):
        exec(compile(f"def {name}(k):\n{body.format(next=following)}\n", f"<{name}>", "exec"), namespace)
        function = functions[name] = namespace[name]
        code = function.__code__
        if "co_linetable" in changes and changes["co_linetable"] is None:
            # Entries of 8 code units, each of the kind "no location" (15).
            units = len(code.co_code) // 2
            sizes = [8] * (units // 8) + ([units % 8] if units % 8 else [])
            changes["co_linetable"] = bytes(0x80 | 15 << 3 | size - 1 for size in sizes)
        function.__code__ = code.replace(**changes)
        if following:
            calls += [(following, name, line) for line in lines_of(function)]

    def main():
        for _ in range(repeats):
            plain(1)  # calls plain

    plain = functions["plain"]
    functions["main"] = main
    return *graph(SOURCE, functions, ["main"], calls), main
