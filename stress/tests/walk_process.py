"""The target of walk_process.rs: threads that stand still after each has said where.

A line of JSON on stdout for every stack: {"name", "native_id", "rows": [[file, qualified name, line], …]}, innermost first.
A stack is told and held by one line of source, so that what is told stays true while the thread is walked.
"""
import argparse
import json
import os
import sys
import threading

LOCK = threading.Lock()
HELD = threading.Lock()
HELD.acquire()


def told(name):
    """Tells the caller's stack, which the caller must go on with on the same line."""
    rows, frame = [], sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        rows.append([code.co_filename, code.co_qualname, frame.f_lineno])
        frame = frame.f_back
    line = json.dumps({"name": name, "native_id": threading.get_native_id(), "rows": rows})
    with LOCK:
        os.write(1, line.encode() + b"\n")


def hold(name):
    told(name) or HELD.acquire()


def plain():
    hold("plain")


def in_generator():
    def inner(n):
        if n == 0:
            hold("generator")
        yield n

    def outer():
        for value in (yield from inner(0)), 1:
            yield value

    list(outer())


def in_coroutine():
    async def leaf():
        hold("coroutine")

    async def root():
        await leaf()

    root().send(None)


def in_recursion(depth=1500):
    if depth == 0:
        return hold("recursion")
    return in_recursion(depth - 1)


def in_named():
    # A file, a class and functions beyond ASCII, Latin-1 and the first plane.
    # (The parser makes ASCII of letters like 𝔘, so only the file has some of that plane.)
    source = "class Größe:\n    def 漢字(self, f):\n        (lambda: f('names'))()\n\n\ndef функция(f):\n    Größe().漢字(f)\n"
    scope = {}
    exec(compile(source, "módulo 𝔘 🐍.py", "exec"), scope)

    def größe():
        scope["функция"](hold)

    größe()


def in_json():
    json.loads('{"a": {"b": 1}}', object_hook=lambda pairs: hold("json"))


def in_argparse():
    parser = argparse.ArgumentParser()
    parser.add_argument("value", type=lambda text: hold("argparse"))
    parser.parse_args(["1"])


class Made:
    """Its __init__ is specialised by the time it holds: from 3.13 on there is a frame of a shim below it."""

    def __init__(self, holds):
        if holds:
            hold("init")


def in_init():
    for round in range(200):
        Made(round == 199)


def in_comprehension():
    # Its own frame up to 3.11, none after.
    [hold("comprehension") for _ in "x"]


def in_sort():
    sorted([1], key=lambda value: hold("sort"))


def in_class_body():
    class Body:
        hold("class body")


def in_long_function():
    # A line table of many kilobytes, and the instruction at its end.
    body = "\n".join(f"    x{i} = (1 +\n      {i})" for i in range(2000))
    scope = {}
    exec(compile(f"def long(f):\n{body}\n    f('long')\n", "long.py", "exec"), scope)
    scope["long"](hold)


def in_subinterpreter():
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    source = (
        "import json, os, sys, time, threading\n"
        "def tell():\n"
        "    frame, rows = sys._getframe(1), []\n"
        "    while frame: rows.append([frame.f_code.co_filename, frame.f_code.co_qualname, frame.f_lineno]); frame = frame.f_back\n"
        "    os.write(1, json.dumps({'name': 'subinterpreter', 'native_id': threading.get_native_id(), 'rows': rows}).encode() + b'\\n')\n"
        "def sub():\n"
        "    tell() or time.sleep(100000)\n"
        "sub()\n"
    )
    told("subinterpreter's caller") or interpreters.run_string(interpreters.create(), source)


sys.setrecursionlimit(5000)
for function in (
    plain,
    in_generator,
    in_coroutine,
    in_recursion,
    in_named,
    in_json,
    in_argparse,
    in_init,
    in_comprehension,
    in_sort,
    in_class_body,
    in_long_function,
    in_subinterpreter,
):
    threading.Thread(target=function, daemon=True).start()
hold("main")
