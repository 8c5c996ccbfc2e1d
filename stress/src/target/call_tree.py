# The self-certifying call tree: every node is its own function with its own code object, every call site is on its own
# line, so each consecutive pair of frames proves itself. Parameters: depth, work (length of the loop in each node),
# locals (extra locals, which make frames large) and style (how a node calls its children).


def build(depth, work, extra_locals, style):
    """Returns (root function, functions, calls): see `describe`."""
    lines, calls = [], []

    def emit(line):
        lines.append(line)
        return len(lines)

    def node(index, level):
        children = [2 * index, 2 * index + 1] if level < depth else []
        emit(f"def n{index}(k=1):")
        for start in range(0, extra_locals, 10):
            emit("    " + " = ".join(f"x{i}" for i in range(start, min(start + 10, extra_locals))) + " = k")
        emit(f"    for _ in range({work}): k += 1")
        for child in children:
            kind = style if style != "mixed" else ("plain", "generator", "c")[level % 3]
            call = {
                "plain": f"    n{child}(k)",
                "generator": f"    for _ in n{child}(k): pass",
                "c": f"    list(map(n{child}, (k,)))",
            }[kind]
            calls.append((f"n{child}", f"n{index}", emit(call)))
        # A child that is called as a generator must be one.
        parent_kind = style if style != "mixed" else ("plain", "generator", "c")[(level - 1) % 3]
        if level > 0 and parent_kind == "generator":
            emit("    yield k")
        emit("    return k")
        for child in children:
            node(child, level + 1)

    node(1, 0)
    namespace = {}
    exec(compile("\n".join(lines), "<call-tree>", "exec"), namespace)
    functions = {name: f for name, f in namespace.items() if name.startswith("n")}
    return functions["n1"], functions, calls


def setup_call_tree(depth, work, locals, style):
    root, functions, calls = build(depth, work, locals, style)
    codes, edges = describe(functions, calls, ["n1"])
    return codes, edges, root
