# S17: greenlets switch between C stacks by copying slices of them away: the frames of a suspended greenlet point to entry
# frames on a C stack that is another greenlet's by now, and during the switch itself the chain and the C stack disagree.


def setup_greenlets(greenlets, repeats):
    from greenlet import getcurrent, greenlet

    def parks(k):
        for _ in range(repeats):
            getcurrent().parent.switch()

    def maps(k):
        list(map(parks, (k,)))  # calls parks

    def one(k=0):
        maps(k)  # calls maps

    def two(k=0):
        list(map(maps, (k,)))  # calls maps

    def main():
        made = list(map(greenlet, (one, two) * greenlets))
        for _ in range(repeats + 1):
            for parked in made:
                parked.switch()

    functions = {"parks": parks, "maps": maps, "one": one, "two": two, "main": main}
    return *graph(SOURCE, functions, ["main", "one", "two"]), main
