"""Names of variables, dimensions and groups: the schema other code may rely on.

Invariant: every label that leaves the package is defined here once.
Guarded by ``tests/test_model.py::test_schema_names``.
"""

DYAD = "dyad"
STATE = "state"
YEAR = "year"
INDICATOR = "indicator"
SCENARIO = "scenario"
HORIZON = "horizon"
THRESHOLD = "threshold"
KIND = "kind"
CHAIN = "chain"
DRAW = "draw"

ALIGNMENT = "alignment"
PRESSURE = "pressure"
COMPLEMENTARITY = "complementarity"
LIKENESS = "likeness"

DOMAINS = {
    ALIGNMENT: ("diplomatic", "security", "economic"),
    PRESSURE: ("material", "verbal"),
    COMPLEMENTARITY: ("trade", "energy"),
    LIKENESS: ("regime", "leaders"),
}
FOCAL = "CHN-RUS"
