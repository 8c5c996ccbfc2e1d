# P6, R4: a borrowed code pointer is kept, and its name is looked up after the code object has died.
# Shown when the process dies or (exit 3) the pointer has the name of another function.
import ctypes, sys

def fresh(name):
    space = {}
    exec(f"def {name}(): pass", space)
    return space[name]

function = fresh("walked")
borrowed = id(function.__code__)  # what PyUnstable_InterpreterFrame_GetCodeBorrowed hands out
del function
later = [fresh(f"other{n}") for n in range(1000)]
read = ctypes.cast(borrowed, ctypes.py_object).value
name = getattr(read, "co_name", repr(read))
sys.stderr.write(f"walked has the name {name}\n")
sys.exit(0 if name == "walked" else 3)
