# Programs that allocate, for `stress allocations`: call trees with many places, skewed sizes. All functions live for ever.

import random

MIB = 1 << 20


def source(prefix, leaves, groups):
    # A leaf has three lines that allocate, so that a wrong line is another place; groups and the roots make call paths.
    text = []
    for leaf in range(leaves):
        text.append(f"def {prefix}_leaf{leaf}(a, b, c):\n    x = bytearray(a)\n    y = bytearray(b)\n    z = bytearray(c)\n    return z\n")
    for group in range(groups):
        calls = "".join(f"    if k == {leaf}:\n        return {prefix}_leaf{leaf}(*sizes)\n" for leaf in range(leaves))
        text.append(f"def {prefix}_group{group}(k, sizes):\n{calls}")
    for root in range(2):
        calls = "".join(f"    if g == {group}:\n        return {prefix}_group{group}(k, sizes)\n" for group in range(groups))
        text.append(f"def {prefix}_root{root}(g, k, sizes):\n{calls}")
    return "".join(text)


def skewed(draw, most):
    # As many sizes between 16 and 32 as between half of the largest and the largest: few places have most of the bytes.
    exponent = draw.uniform(4, most)
    return int(2**exponent)


def setup(prefix, leaves, groups, most, seed):
    draw = random.Random(seed)
    namespace = {}
    exec(compile(source(prefix, leaves, groups), f"<{prefix}>", "exec"), namespace)
    sizes = [[[skewed(draw, most) for _ in range(3)] for _ in range(2)] for _ in range(leaves)]
    weights = [1 / (1 + leaf) for leaf in range(leaves)]
    draw.shuffle(weights)
    roots = [namespace[f"{prefix}_root{root}"] for root in range(2)]

    def main(total):
        left = total
        while left > 0:
            k = draw.choices(range(leaves), weights)[0]
            chosen = sizes[k][draw.randrange(2)]
            # The outer functions are skewed, too.
            roots[draw.random() < 0.25](min(int(draw.expovariate(0.8)), groups - 1), k, chosen)
            left -= sum(chosen)

    return main


PROGRAMS = {
    # Large blocks: a sample is of few of them.
    "large": (setup("large", 32, 4, 20, 1), 2048 * MIB),
    # At most 16 KiB: a sample stands for many blocks.
    "small": (setup("small", 32, 4, 14, 2), 512 * MIB),
}


def run(name):
    main, total = PROGRAMS[name]
    main(total)
