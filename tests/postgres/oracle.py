"""What a store must hold, told by a second record of every event and a fold in Python."""
import json

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


def _merged(state, data):
    return {**state, **{key: value for key, value in data.items() if value is not None}}


def _patched(state, patch):
    if not isinstance(patch, dict):
        return patch
    result = dict(state) if isinstance(state, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _patched(result.get(key), value)
    return result


def fold(events, folds):
    """The state after events, each a type and data, where folds says how a type changes it."""
    state = {}
    for kind, data in events or []:
        how = folds.get(kind, "merge")
        state = _merged(state, data) if how == "merge" else _patched(state, data) if how == "patch" else state
    return state


def faults(connection):
    """What is wrong with a store that has had RECORD from its beginning: evercore_check(), versions, states."""
    for row in connection.rows("SELECT * FROM evercore_check()"):
        yield f"evercore_check: {row}"
    folds = dict(connection.rows("SELECT name, fold FROM evercore_event_type"))
    written = {}
    for aggregate, sequence, kind, data in connection.rows("SELECT * FROM public.written ORDER BY aggregate_id, sequence"):
        events = written.setdefault(aggregate, [])
        events.append((kind, json.loads(data)))
        if int(sequence) != len(events):
            yield f"aggregate {aggregate}: sequence {sequence} was written as its event number {len(events)}"
    for aggregate, version, erased, state in connection.rows("SELECT aggregate_id, sequence, erased, evercore_state(aggregate_id) FROM evercore_aggregate"):
        events = written.get(aggregate, [])
        expected = {} if erased == "t" else fold(events, folds)
        if int(version) != len(events):
            yield f"aggregate {aggregate}: at {version}, {len(events)} events were written"
        if json.loads(state) != expected:
            yield f"aggregate {aggregate}: state {state}, the fold is {expected}"
