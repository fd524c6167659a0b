/** The Python half of the tour: plain functions over plain data. Runs on CPython 3.9 and newer. */
export const ANALYSIS = `
import ast, functools, io, sqlite3, statistics, tokenize

SOURCES = {}


def load(sources):
    SOURCES.update(sources)
    return {"modules": len(SOURCES), "characters": sum(map(len, SOURCES.values()))}


@functools.lru_cache(maxsize=None)
def functions():
    """Every function of every module: (module, name, lines, branches, has a docstring)."""
    branching = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.BoolOp, ast.IfExp)
    found = []
    for module, text in SOURCES.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                branches = sum(isinstance(inner, branching) for inner in ast.walk(node))
                lines = node.end_lineno - node.lineno + 1
                found.append((module, node.name, lines, branches, ast.get_docstring(node) is not None))
    return sorted(found)


def comments():
    """Comments and logical lines of every module, by the tokenizer."""
    counts = {}
    for module, text in SOURCES.items():
        kinds = [token.type for token in tokenize.generate_tokens(io.StringIO(text).readline)]
        counts[module] = [kinds.count(tokenize.COMMENT), kinds.count(tokenize.NEWLINE)]
    return counts


def store(rows):
    """The functions as a table of an in-memory SQLite database."""
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.execute("create table function (module text, name text, lines int, branches int, documented int)")
    database.executemany("insert into function values (?, ?, ?, ?, ?)", rows)
    return database


def summary(numbers):
    quartiles = statistics.quantiles(numbers, n=4)
    return {
        "count": len(numbers),
        "mean": round(statistics.fmean(numbers), 9),
        "median": statistics.median(numbers),
        "stdev": round(statistics.stdev(numbers), 9),
        "quartiles": [round(one, 9) for one in quartiles],
    }


def ranked(names, score):
    """Calls back into JavaScript for the score of every name."""
    return sorted(names, key=lambda name: (-score(name), name))[:5]


def chapters(n):
    """A generator: produced as it is read."""
    for number in range(1, n + 1):
        yield {"number": number, "title": "chapter " + "i" * number}


def deep_error(module):
    try:
        return {}[module]
    except KeyError as error:
        raise ValueError("no such module: " + module) from error
`;
