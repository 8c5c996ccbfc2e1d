# A random chain of functions, each called by the one before in its own way; the innermost calls `bottom`. Fresh code
# objects for each stack: stacks are independent.


def make_stack(kinds, gaps, bottom):
    lines = []

    def emit(line):
        lines.append(line)
        # Blank lines spread the line numbers, so that line tables have entries of every form.
        lines.extend([""] * gaps[len(lines) % len(gaps)])

    def call(kind, callee):
        return {
            "plain": f"    r = {callee}(k)",
            "c": f"    r = sorted((k,), key={callee})",
            "comprehension": f"    r = [{callee}(x) for x in (k,)]",
            "generator": f"    r = list({callee}(x) for x in (k,))",
            "coroutine": f"    r = drive({callee})",
            "init": f"    r = make({callee})",
            "wide": f"    r = {callee}(k)",
        }[kind]

    emit("async def wrapped(f):")
    emit("    return f(1)")
    emit("def drive(f):")
    emit("    c = wrapped(f)")
    emit("    try:")
    emit("        c.send(None)")
    emit("    except StopIteration as stop:")
    emit("        return 0")
    emit("class Made:")
    emit("    def __init__(self, f):")
    emit("        self.r = f(1)")
    emit("def make(f):")
    # In a loop, so that the call is specialised and runs __init__ through CPython's shim frame.
    emit("    for g in (int,) * 12 + (f,):")
    emit("        made = Made(g)")
    emit("    return 0")
    for index, kind in enumerate(kinds):
        last = index + 1 == len(kinds)
        emit(f"def f{index}(k):")
        emit(f"    a{index} = (k,")
        emit("         k)")
        if kind == "wide":
            # So large a frame that the next ones need another chunk of the data stack.
            emit("    if not k: " + " = ".join(f"w{local}" for local in range(700)) + " = k")
        emit("    r = bottom(k)" if last else call(kind, f"f{index + 1}"))
        emit("    return 0")
    namespace = {"bottom": bottom}
    exec(compile("\n".join(lines), "<stack>", "exec"), namespace)
    return namespace["f0"]
