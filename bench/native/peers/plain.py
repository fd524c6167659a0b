"""Plain Python, without JavaScript: what the work itself costs. Argument: the folder of `measured`."""

import json
import sys
import timeit

sys.path.insert(0, sys.argv[1])
import measured

NAMES = {"add": measured.add, "p": measured.POINT, "held": measured.POINT.m}


def microseconds(statement: str) -> float:
    timer = timeit.Timer(statement, globals=NAMES)
    loops, _ = timer.autorange()
    return sorted(timer.timeit(loops) / loops for _ in range(5))[2] * 1e6


print(
    json.dumps(
        {
            "figures": {
                "call": microseconds("add(1, 2)"),
                "attribute": microseconds("p.x"),
                "method": microseconds("p.m()"),
                "held": microseconds("held()"),
            },
            "problems": {},
        }
    )
)
