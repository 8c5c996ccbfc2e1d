# Programs that make code objects and lose them, for `stress lifetime`. `made(code)` says that a function of the churn is there; all
# others live as long as the program does. Each runs until `ended()` is true.

import importlib
import sys
import time
from importlib.machinery import ModuleSpec


def body(size):
    # A function that allocates while it runs: walks are made from the allocator's hooks.
    part = "    a = [k] * 8\n    b = {k: a}\n    c = (a, b, k)\n"
    return part * size + "    return c\n"


SIZES = [body(size) for size in (1, 4, 16)]


def fresh(number):
    # Called `f<number>`, by the three ways in which programs make functions. The namespace lets go of it: a function that its own
    # globals know dies no earlier than the garbage collector finds the circle.
    kind, size = number % 3, number // 3 % 3
    namespace = {}
    if kind == 0:
        exec(compile(f"def f{number}(k):\n{SIZES[size]}", f"<fresh {number}>", "exec"), namespace)
        return namespace.pop(f"f{number}")
    if kind == 1:
        calls = "".join(f"[k] * {length}, " for length in range(1, 3 * size + 3))
        return eval(compile(f"lambda k: ({calls})", f"<fresh {number}>", "eval"), namespace)
    inner = SIZES[size].replace("    ", "        ")
    text = f"def outer():\n    def f{number}(k):\n{inner}    return f{number}\n"
    exec(compile(text, f"<fresh {number}>", "exec"), namespace)
    return namespace.pop("outer")()


def run_exec(made, ended):
    number = 0
    while not ended():
        function = fresh(number)
        made(function.__code__)
        function(number)
        # The only reference: the code object dies here.
        del function
        number += 1


def run_template(made, ended):
    # A template engine with a cache of 32: once a millisecond a template is compiled, and the oldest one is dropped.
    cache, number, due = [], 0, 0.0
    while not ended():
        now = time.perf_counter()
        if now >= due:
            function = fresh(number)
            made(function.__code__)
            cache.append(function)
            if len(cache) > 32:
                del cache[0]
            number, due = number + 1, now + 0.001
        for function in cache:
            function(number)
        function = None


class Loader:
    # What importlib asks of a loader; the module has no file.
    def __init__(self, text):
        self.text = text

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(self.text, "<reloaded>", "exec"), module.__dict__)


class Finder:
    def __init__(self, name, loader):
        self.name, self.loader = name, loader

    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self.loader) if name == self.name else None


def run_reload(made, ended):
    # A module of 24 functions that is reloaded four times a second, as development servers do.
    name, count = "sigwalk_reloaded", 24
    text = "".join(f"def f{index}(k):\n{SIZES[index % 3]}" for index in range(count))
    sys.meta_path.insert(0, Finder(name, Loader(text)))
    module, due = None, 0.0
    while not ended():
        now = time.perf_counter()
        if now >= due:
            module = importlib.reload(module) if module else importlib.import_module(name)
            for index in range(count):
                made(getattr(module, f"f{index}").__code__)
            due = now + 0.25
        for index in range(count):
            getattr(module, f"f{index}")(index)


def run_none(made, ended):
    # The control: the same functions, made once and kept.
    functions = [fresh(number) for number in range(32)]
    for function in functions:
        made(function.__code__)
    while not ended():
        for number, function in enumerate(functions):
            function(number)
