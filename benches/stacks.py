"""Real stacks of the standard library. Each function calls `bottom` where user code is called back, and returns
after it. The modules are imported on the first call, so that nothing is loaded that is not walked."""


def json(bottom):
    """A `default=` of json, three containers deep. `indent` asks for the encoder written in Python, where it has one."""
    import json

    class Unknown:
        pass

    def default(value):
        bottom()
        return None

    json.dumps({"a": [{"b": Unknown()}]}, default=default, indent=1)


def argparse(bottom):
    """A `type=` of argparse, in a subcommand."""
    import argparse

    def number(text):
        bottom()
        return int(text)

    parser = argparse.ArgumentParser(prog="bench")
    command = parser.add_subparsers().add_parser("run")
    command.add_argument("--count", type=number)
    parser.parse_args(["run", "--count", "7"])


def asyncio(bottom):
    """A task of nine nested coroutines, resumed by the event loop inside asyncio.run."""
    import asyncio

    async def nested(left):
        if left:
            return await nested(left - 1)
        await asyncio.sleep(0)
        bottom()

    async def main():
        await asyncio.create_task(nested(8))

    asyncio.run(main())


def logging(bottom):
    """A handler's `emit`, from a logger three levels below the one that has the handler."""
    import logging

    class Handler(logging.Handler):
        def emit(self, record):
            self.format(record)
            bottom()

    top = logging.Logger("bench", logging.INFO)
    logger = top
    for name in ("bench.a", "bench.a.b", "bench.a.b.c"):
        child = logging.Logger(name)
        child.parent = logger
        logger = child
    top.addHandler(Handler())
    # A manager of its own: the root logger and its handlers are the process's.
    logger.manager = top.manager = logging.Manager(top)
    logging.LoggerAdapter(logger, {}).info("count %d", 7)


def unittest(bottom):
    """A test method that the runner of unittest calls, in a suite in a suite."""
    import io
    import unittest

    class Case(unittest.TestCase):
        def test_bottom(self):
            with self.subTest("bottom"):
                self.assertIsNone(self.call())

        def call(self):
            bottom()

    suite = unittest.TestSuite([unittest.defaultTestLoader.loadTestsFromTestCase(Case)])
    result = unittest.TextTestRunner(stream=io.StringIO()).run(suite)
    if not result.wasSuccessful():
        raise RuntimeError(result.errors or result.failures)
