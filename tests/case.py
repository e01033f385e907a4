"""case.py - the frame of the tests in Python: unittest, a JUnit file, and the line that tools/count-tests adds up.

Not here: any test.   Read next: test_python.py
"""
import os
import sys
import unittest
from xml.sax.saxutils import quoteattr


def skip_all(reason):
    """Something is missing without which nothing can be tested."""
    print("skipped:", reason)
    sys.exit(77)


class _Result(unittest.TextTestResult):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.passed = []

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed.append(test)


def _write_junit(name, result, failed):
    with open(f"{name}-junit.xml", "w") as file:
        total = len(result.passed) + len(failed) + len(result.skipped)
        file.write(f'<?xml version="1.0"?>\n<testsuite name="{name}" tests="{total}" failures="{len(failed)}" '
                   f'skipped="{len(result.skipped)}">\n')
        for tests, inside in ((result.passed, ""), (result.skipped, "skipped"), (failed, "failure")):
            for entry in tests:
                test, words = entry if inside else (entry, "")
                more = f"><{inside} message={quoteattr(words)}/></testcase>" if inside else "/>"
                file.write(f'  <testcase classname="{name}" name={quoteattr(test.id())}{more}\n')
        file.write("</testsuite>\n")


def main(module="__main__"):
    """Run all tests of the module, write NAME-junit.xml here, print the count, and exit."""
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[module])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=_Result).run(suite)
    failed = result.failures + result.errors
    _write_junit(name, result, failed)
    print(f"{name}: {len(result.passed)} passed, {len(failed)} failed, {len(result.skipped)} skipped")
    sys.exit(bool(failed))
