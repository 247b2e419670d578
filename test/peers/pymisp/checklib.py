"""Counts named checks for a client script: no framework, one line per failure."""
import sys
import time
import traceback


class Checks:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def run(self, name, body, *args):
        """Runs body; whatever it raises makes the check fail. Returns body's value or None."""
        try:
            value = body(*args)
        except Exception as error:  # a check must not stop the others
            self.failed += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = " ".join(str(error).split())[:300]
            print("FAIL %s: %s: %s (%s:%d)" % (name, type(error).__name__, text, where.filename.split("/")[-1], where.lineno))
            return None
        self.passed += 1
        print("ok   %s" % name)
        return value

    def finish(self):
        print("%d passed, %d failed" % (self.passed, self.failed))
        sys.exit(1 if self.failed or not self.passed else 0)


def equal(got, wanted, what="value"):
    if got != wanted:
        raise AssertionError("%s is %r, wanted %r" % (what, got, wanted))


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def raises(kind, body, **attributes):
    """body must raise kind, with the given attributes equal. Returns the exception."""
    try:
        body()
    except kind as error:
        for name, wanted in attributes.items():
            equal(getattr(error, name), wanted, name)
        return error
    raise AssertionError("no %s was raised" % kind.__name__)


def until(predicate, seconds, what):
    end = time.monotonic() + seconds
    while not predicate():
        if time.monotonic() > end:
            raise AssertionError("gave up after %d s: %s" % (seconds, what))
        time.sleep(0.1)
