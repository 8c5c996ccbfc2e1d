"""Stacks that become images: recursion, generators and coroutines, calls through C. `capture` is a builtin."""

import functools, sys

def snap(name):
    chain, frame = [], sys._getframe()
    while frame is not None:
        chain.append((id(frame.f_code), frame.f_lasti, frame.f_lineno))
        frame = frame.f_back
    capture(name, chain)

def descend(depth):
    return descend(depth - 1) if depth else snap("recursion")

def inner():
    yield 1
    snap("generators")

def outer():
    yield from inner()

async def awaited():
    for _ in outer():
        pass

async def stream():
    await awaited()
    yield 2

async def consume():
    async for _ in stream():
        pass

def drive():
    try:
        consume().send(None)
    except StopIteration:
        pass

class Node:
    def __init__(self, last):
        self.key = last
        if last:
            functools.reduce(fold, [1, 2])

def fold(left, right):
    return [by_key(item) for item in (left,)]

def by_key(item):
    sorted([item], key=lambda value: snap("callbacks"))

def construct():
    for index in range(200):
        Node(index == 199)

descend(8)
drive()
construct()
