"""apsw: both forms, both undone with their transaction, a conflict by class."""
import sys

import apsw

passed = failed = 0


def check(what, right):
    global passed, failed
    passed, failed = passed + bool(right), failed + (not right)
    if not right:
        print("failed:", what)


db = apsw.Connection(":memory:")
db.enableloadextension(True)
db.loadextension(sys.argv[1])
db.enableloadextension(False)


def value(sql, values=()):
    return next(iter(db.cursor().execute(sql, values)), (None,))[0]


value("SELECT evercore_migrate()")
INSERT = "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES (?, ?, ?, ?)"
value(INSERT, ("User", "ann", "Created", '{"name":"Ann"}'))
check("a call gives the sequence", value("SELECT evercore_append(1, ?, 'Named', ?)", (1, '{"name":"Anna"}')) == 2)
check("the state is JSON", value("SELECT evercore_state(1)") == '{"name":"Anna"}')
try:
    value("SELECT evercore_append(1, 1, 'Named', '{}')")
    check("a conflict is a ConstraintError", False)
except apsw.ConstraintError as error:
    check("a conflict is a ConstraintError", "EV001: " in str(error) and error.extendedresult == 1043)
try:
    with db:
        value(INSERT, ("User", "bob", "Created", "{}"))
        value("SELECT evercore_append(2, NULL, 'Named', '{}')")
        raise KeyError
except KeyError:
    pass
check("a failed block takes both back", value("SELECT count(*) FROM evercore_log") == 2)
print(f"{passed} passed, {failed} failed")
sys.exit(bool(failed))
