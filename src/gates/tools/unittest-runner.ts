/**
 * A unittest runner in Python that writes one JSON object per test. It is written into the report folder and run from there, because unittest
 * has no machine-readable output of its own. Arguments: the report, then those of `python -m unittest`, then test files.
 */
export const UNITTEST_RUNNER_FILE = 'reeve_unittest.py'

export const UNITTEST_RUNNER = String.raw`import json, os, sys, traceback, unittest

sys.path[0] = os.getcwd()
out = open(sys.argv[1], "w", encoding="utf-8", errors="replace")


def place(test):
    try:
        method = getattr(type(test), getattr(test, "_testMethodName", ""), None)
        code = getattr(method, "__wrapped__", method).__code__
        return code.co_filename, code.co_firstlineno
    except Exception:
        return getattr(sys.modules.get(type(test).__module__), "__file__", None), None


def line_of(error, file):
    found = None
    for frame in traceback.extract_tb(error[2]) if error[2] else []:
        if file and os.path.abspath(frame.filename) == os.path.abspath(file):
            found = frame.lineno
    return found


class Result(unittest.TextTestResult):
    def emit(self, test, status, kind=None, error=None, note="", sub=None):
        file, line = place(test)
        message = note
        if error is not None:
            message = "".join(traceback.format_exception(*error))
            line = line_of(error, file) or line
        record = {"id": test.id() + (" " + sub if sub else ""), "file": file, "line": line, "status": status, "failure": kind, "message": message[-8000:]}
        out.write(json.dumps(record) + "\n")
        out.flush()

    def addSuccess(self, test):
        super().addSuccess(test)
        self.emit(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.emit(test, "failed", "assertion", err)

    def addError(self, test, err):
        super().addError(test, err)
        self.emit(test, "failed", "error", err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.emit(test, "skipped", note=reason)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.emit(test, "skipped", note="expected failure")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.emit(test, "failed", "assertion", note="unexpected success")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            kind = "assertion" if issubclass(err[0], test.failureException) else "error"
            self.emit(test, "failed", kind, err, sub=subtest._subDescription())


def value(args, *names):
    for at, it in enumerate(args):
        for name in names:
            if it == name and at + 1 < len(args):
                return args[at + 1]
            if name.startswith("--") and it.startswith(name + "="):
                return it[len(name) + 1 :]
    return None


def by_files(files):
    loader, suite = unittest.defaultTestLoader, unittest.TestSuite()
    for file in files:
        folder, top = os.path.dirname(os.path.abspath(file)), os.path.dirname(os.path.abspath(file))
        while os.path.exists(os.path.join(top, "__init__.py")) and top != os.path.dirname(top):
            top = os.path.dirname(top)
        loader._top_level_dir = None
        suite.addTests(loader.discover(folder, os.path.basename(file), top))
    return suite


args = sys.argv[2:]
loader = unittest.defaultTestLoader
names = [it for it in args if not it.startswith("-")]
if args and args[0] == "discover" or not names:
    rest = args[1:] if args and args[0] == "discover" else args
    plain, skip = [], False
    for it in rest:
        if skip:
            skip = False
        elif it in ("-s", "--start-directory", "-p", "--pattern", "-t", "--top-level-directory", "-k"):
            skip = True
        elif not it.startswith("-"):
            plain.append(it)
    start = value(rest, "-s", "--start-directory") or (plain[0] if plain else ".")
    pattern = value(rest, "-p", "--pattern") or (plain[1] if len(plain) > 1 else "test*.py")
    top = value(rest, "-t", "--top-level-directory") or (plain[2] if len(plain) > 2 else None)
    suite = loader.discover(start, pattern, top)
elif all(it.endswith(".py") for it in names):
    suite = by_files(names)
else:
    suite = loader.loadTestsFromNames(names)

outcome = unittest.TextTestRunner(resultclass=Result, verbosity=2).run(suite)
out.write(json.dumps({"done": True, "ran": outcome.testsRun}) + "\n")
out.close()
sys.exit(0 if outcome.wasSuccessful() else 1)
`
