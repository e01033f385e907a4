"""validate.py SCHEMA FILE... - documents against a JSON Schema, and spoilt copies of them, none of which may pass.

A copy is spoilt in one place: a key that nobody knows, a key removed, a value of another type, a word or a number that
is none of the legal ones.  Prints one line for each file, "FILE: valid, 93 of 93 spoilt copies refused", or what is
wrong with it.  Ends with 77 if there is no jsonschema.   Not here: how the documents came about (test_cli_schema.sh).
"""
import copy
import json
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)

# Texts that may be anything; every other text is a word, a pattern or an index.
FREE = {"kernel", "reason", "warning", "note", "words", "where", "guess", "first", "what",
        "layer", "network", "published", "source", "version", "unit", "term"}


def places(value, path=()):
    """Every value in a document with the keys that lead to it."""
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, path + (key,))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def with_value(document, path, value):
    spoilt = copy.deepcopy(document)
    at(spoilt, path[:-1])[path[-1]] = value
    return spoilt


OPTIONAL = {"arithmetic", "one_tensor", "layers", "threads", "small", "turns", "probes", "real", "special", "covering",
            "limits", "seams"}


def spoilt_copies(document):
    for path, value in places(document):
        if isinstance(value, dict):
            extra = copy.deepcopy(document)
            at(extra, path)["unheard_of"] = 1
            yield path + ("unheard_of",), extra
            for key in value.keys() - OPTIONAL:
                less = copy.deepcopy(document)
                del at(less, path)[key]
                yield path + (key, "removed"), less
        if not path:
            continue
        name = next(key for key in reversed(path) if isinstance(key, str)) if any(
            isinstance(key, str) for key in path) else ""
        yield path + ("of another type",), with_value(document, path, [[]] if not isinstance(value, list) else 1)
        if isinstance(value, str) and name not in FREE:
            yield path + ("another word",), with_value(document, path, "Nonsense!")
        if isinstance(value, (int, float)) and not isinstance(value, bool) and name not in ("expected", "got"):
            yield path + ("of the other sign",), with_value(document, path, 1 if value < 0 else -1)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    # a distribution may have a jsonschema that only knows the draft before; what is used here is the same in both
    judge = getattr(jsonschema, "Draft202012Validator", jsonschema.Draft7Validator)
    judge.check_schema(schema)
    validator = judge(schema)
    failed = False
    for name in sys.argv[2:]:
        with open(name, encoding="utf-8") as file:
            document = json.load(file)
        error = next(validator.iter_errors(document), None)
        if error:
            deepest = jsonschema.exceptions.best_match([error])
            print(f"{name}: {'/'.join(map(str, deepest.absolute_path))}: {deepest.message[:300]}")
            failed = True
            continue
        copies = list(spoilt_copies(document))
        passed = ["/".join(map(str, where)) for where, copied in copies if validator.is_valid(copied)]
        print(f"{name}: valid, {len(copies) - len(passed)} of {len(copies)} spoilt copies refused" +
              "".join(f"; passes with {where}" for where in passed[:5]))
        failed = failed or bool(passed)
    sys.exit(failed)


if __name__ == "__main__":
    main()
