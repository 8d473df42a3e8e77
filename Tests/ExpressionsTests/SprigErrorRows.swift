// Variables of the rows: see `Rows.variables`. Each result is what the reference's own evaluator gives.

/// Faults of the controller's own functions and of sprig's.
let sprigErrorRows: [(String, String)] = [
    ("sprig.mustDateModify('x',date('2023-08-14'))", #"time: invalid duration "x" (1:7)"#),
    ("sprig.substr(5,3,s)", "runtime error: slice bounds out of range [5:3] (1:7)"),
    ("sprig.div(1,0)", "runtime error: integer divide by zero (1:7)"),
    ("sprig.mod(1,0)", "runtime error: integer divide by zero (1:7)"),
    ("sprig.divf(1,0)", "decimal division by 0 (1:7)"),
    ("sprig.append('x',1)", "Cannot push on type string (1:7)"),
    ("sprig.first('x')", "Cannot find first on type string (1:7)"),
    ("sprig.slice(l,5)", "reflect.Value.Slice: slice index out of bounds (1:7)"),
    ("sprig.dig(1,2)", "dig needs at least three arguments (1:7)"),
    ("sprig.urlJoin({path:1})", "unable to parse path key, must be of type string, but int found (1:7)"),
    ("sprig.fail('oops')", "oops (1:7)"),
    ("sprig.semverCompare('>1", "literal not terminated (1:24)"),
    ("sprig.nope(1)", "invalid operation: cannot call nil (1:7)"),
    ("sprig.trim()", "invalid number of arguments: expected 1, got 0 (1:7)"),
    ("sprig.trim('a','b')", "invalid number of arguments: expected 1, got 2 (1:7)"),
    ("sprig['trim']('a ')", #"unexpected token Bracket("(") (1:14)"#),
    ("asInt('x')", "invalid operation: int(x) (1:1)"),
    ("asInt()", "not enough arguments to call asInt (1:1)"),
    ("asInt('1','2')", "too many arguments to call asInt (1:1)"),
    ("jsonpath(1,'$')", "cannot use int as argument (type string) to call jsonpath  (1:10)"),
    ("jsonpath('[1,2]')", "not enough arguments to call jsonpath (1:1)"),
    ("asInt(s)", "invalid operation: int(Hello World) (1:1)"),
    ("toJson(l)[0]", "type string[int] is undefined (1:10)"),
]
