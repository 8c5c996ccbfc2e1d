# Frames down to `bottom`, the native function that waits for the signal. Two of three calls go through C code.
def down(depth, bottom):
    if depth == 0:
        bottom()
        return 0
    if depth % 3 == 0:
        return next(map(down, (depth - 1,), (bottom,))) + 1
    if depth % 3 == 1:
        return sum(sorted((depth - 1,), key=lambda left: down(left, bottom))) + 1
    return down(depth - 1, bottom) + 1
