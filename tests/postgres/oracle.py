"""What a store must hold, told by a second record of every event and a fold in Python."""
import json

from rules import merged, parsed, patched, step
from upcasts import upcast

# Compaction and erasure do not take an event from here, and a rollback does.
RECORD = """
CREATE TABLE public.written (aggregate_id bigint, sequence bigint, event_type text, data jsonb);
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO public.written VALUES (NEW.aggregate_id, NEW.sequence, NEW.event_type, NEW.data::jsonb);
  RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT ON evercore.evercore_event FOR EACH ROW EXECUTE FUNCTION public.note();
"""


def fold(events, folds, upcasts=None):
    """The state after events, each a type and data, where folds says how a type changes it, and upcasts in which shape."""
    state = {}
    for kind, data in events or []:
        data = upcast(data, (upcasts or {}).get(kind, []))
        how = folds.get(kind, "merge")
        if how.startswith("["):
            state = step(state, parsed(how), data, {})
        elif how != "custom":
            state = (merged if how == "merge" else patched)(state, data)
    return state


def faults(connection):
    """What is wrong with a store that has had RECORD from its beginning: evercore_check(), versions, states."""
    for row in connection.rows("SELECT * FROM evercore_check()"):
        yield f"evercore_check: {row}"
    folds = dict(connection.rows("SELECT name, coalesce(rules::text, fold) FROM evercore_event_type"))
    upcasts = {name: json.loads(text) for name, text in connection.rows("SELECT name, upcast FROM evercore_event_type WHERE upcast IS NOT NULL")}
    written = {}
    for aggregate, sequence, kind, data in connection.rows("SELECT * FROM public.written ORDER BY aggregate_id, sequence"):
        events = written.setdefault(aggregate, [])
        events.append((kind, json.loads(data)))
        if int(sequence) != len(events):
            yield f"aggregate {aggregate}: sequence {sequence} was written as its event number {len(events)}"
    for aggregate, version, erased, state in connection.rows("SELECT aggregate_id, sequence, erased, evercore_state(aggregate_id) FROM evercore_aggregate"):
        events = written.get(aggregate, [])
        expected = {} if erased == "t" else fold(events, folds, upcasts)
        if int(version) != len(events):
            yield f"aggregate {aggregate}: at {version}, {len(events)} events were written"
        if json.loads(state) != expected:
            yield f"aggregate {aggregate}: state {state}, the fold is {expected}"
