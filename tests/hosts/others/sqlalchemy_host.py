"""SQLAlchemy over Python's sqlite3: loaded at each connect; the INSERT is part of the unit of work, a SELECT is not."""
import sys

from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import StaticPool

passed = failed = 0


def check(what, right):
    global passed, failed
    passed, failed = passed + bool(right), failed + (not right)
    if not right:
        print("failed:", what)


engine = create_engine("sqlite://", poolclass=StaticPool, future=True)


@event.listens_for(engine, "connect")
def load(connection, _):
    connection.enable_load_extension(True)
    connection.load_extension(sys.argv[1])
    connection.enable_load_extension(False)
    connection.execute("SELECT evercore_migrate()").fetchone()


INSERT = text("INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('User', :key, 'Created', :data)")
CALL = text("SELECT evercore_append(1, :expected, 'Named', :data)")


def events():
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM evercore_log")).scalar()


with engine.begin() as connection:
    connection.execute(INSERT, {"key": "ann", "data": '{"name":"Ann"}'})
check("an INSERT is committed with its unit of work", events() == 1)
with engine.connect() as connection:
    connection.execute(INSERT, {"key": "bob", "data": "{}"})
    connection.rollback()
check("an INSERT is taken back with it", events() == 1)
with engine.connect() as connection:
    connection.execute(CALL, {"expected": 1, "data": "{}"})
    connection.rollback()
check("an append by SELECT outlives it, as docs/hosts.md says", events() == 2)
try:
    with engine.begin() as connection:
        connection.execute(CALL, {"expected": 1, "data": "{}"})
    check("a conflict is an IntegrityError", False)
except IntegrityError as error:
    check("a conflict is an IntegrityError", "EV001: " in str(error))
print(f"{passed} passed, {failed} failed")
sys.exit(bool(failed))
