# What the oracle needs of a target: its code objects, and who calls whom at which line.
#
# In a target that is written as a file, a line that calls functions says so in a comment, and `graph` reads it:
#
#     root(1)  # calls n1
#
# Generated functions come with a list of calls: (callee, caller, line). Names are keys of `functions`.


def describe(functions, calls, roots):
    """[(code, name, [line or None])], [(callee, caller or None, line)]. `functions`: name -> function; `roots`: names
    that chains end with. A value may also be a code object, or `...`: code that is made while the target runs.
    """
    code = lambda name: code_of(functions[name])
    codes = [(code(name), name, lines_of(functions[name])) for name in functions if functions[name] is not ...]
    edges = [(code(a), code(b), NO_LINE if line is None else line) for a, b, line in calls]
    edges += [(code(root), None, 0) for root in roots]
    return codes, edges


# As the interpreter says "no line".
NO_LINE = -1


def code_of(function):
    return getattr(function, "__code__", function)


def nested(function):
    """Code of the function that is made inside of `function`: a lambda, a generator expression."""
    return next(constant for constant in function.__code__.co_consts if hasattr(constant, "co_code"))


def lines_of(function):
    """Lines that its instructions have; with None where some have none, and where the location table says nothing."""
    return sorted({line for *_, line in code_of(function).co_lines()}, key=str) or [None]


def graph(source, functions, roots, calls=()):
    """As `describe`, with the calls that comments in `source` name."""
    text = source.splitlines()
    calls = list(calls)
    for caller, function in functions.items():
        if function is ... or code_of(function).co_filename != FILE:
            continue
        for line in lines_of(function):
            _, mark, callees = text[line - 1].partition("# calls ") if line else ("", "", "")
            calls += [(callee, caller, line) for callee in callees.split(", ") if mark]
    return describe(functions, calls, roots)


def anywhere(callees, functions):
    """Calls of `callees` from every line of every function: for what the interpreter calls when it likes (a tracer, a
    finalizer in garbage collection)."""
    callers = [name for name in functions if functions[name] is not ...]
    return [(callee, name, line) for callee in callees for name in callers for line in lines_of(functions[name])]


def chain(name, sizes):
    """(functions, calls): one function for each of `sizes`, which has that many slots more than it needs and calls the next.

    The slots are stack space that the code object asks for: a frame is as large as with as many locals, and compiled in no
    time.
    """
    text, calls = [], []
    for index in range(len(sizes)):
        text.append(f"def {name}{index}(k=1):")
        if index + 1 < len(sizes):
            text.append(f"    {name}{index + 1}(k)")
            calls.append((f"{name}{index + 1}", f"{name}{index}", len(text)))
        text.append("    return k")
    namespace = {}
    exec(compile("\n".join(text), "<chain>", "exec"), namespace)
    functions = {f"{name}{index}": namespace[f"{name}{index}"] for index in range(len(sizes))}
    for function, size in zip(functions.values(), sizes):
        code = function.__code__
        function.__code__ = code.replace(co_stacksize=code.co_stacksize + size)
    return functions, calls
