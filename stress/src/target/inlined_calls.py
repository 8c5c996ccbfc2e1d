# S3: Python calls Python without leaving the evaluation loop, in every way there is: calls, methods, properties,
# subscripts, `for` over a generator, `yield from`, `await`. Up to 3.12 the new frame is published before its `previous` is.


def setup_inlined_calls(repeats):
    def leaf(k=1, m=2):
        return k

    def made():
        leaf()  # calls leaf
        yield 1

    def delegating():
        yield from made()  # calls made

    class Thing:
        @property
        def attribute(self):
            return leaf()  # calls leaf

        def method(self):
            return leaf()  # calls leaf

        def __getitem__(self, key):
            return leaf()  # calls leaf

    async def waits():
        return leaf()  # calls leaf

    async def awaits():
        return await waits()  # calls waits

    def main():
        thing, arguments, words = Thing(), (1, 2), {"k": 1}
        for _ in range(repeats):
            leaf()  # calls leaf
            leaf(1)  # calls leaf
            leaf(1, m=3)  # calls leaf
            leaf(*arguments)  # calls leaf
            leaf(**words)  # calls leaf
            thing.method()  # calls method
            thing.attribute  # calls attribute
            thing[0]  # calls getitem
            for _ in made():  # calls made
                pass
            for _ in delegating():  # calls delegating
                pass
            try:
                awaits().send(None)  # calls awaits
            except StopIteration:
                pass

    functions = {"leaf": leaf, "made": made, "delegating": delegating, "waits": waits, "awaits": awaits, "main": main}
    functions.update(attribute=Thing.attribute.fget, method=Thing.method, getitem=Thing.__getitem__)
    return *graph(SOURCE, functions, ["main"]), main
