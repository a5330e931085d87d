"""The calls whose steps are put in every order. The store has T/one and T/two with two events each, and P/three with one event and
a policy that its next append meets; event type E is not declared, and of F, of which Q/four has an event, the tags are yet to be filled. R declares a schema of
states; that of R/six is yet to be kept. No call
may hold a brace, which would end its step."""

ROW = "'E', public.data('d')"

CALLS = {
    "append": "SELECT evercore_append(1, NULL, 'E', public.data('c'))",
    "append_many_key": "SELECT jsonb_array_length(evercore_append_many(public.keyed()))",
    "insert_key": f"INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('T', 'one', {ROW})",
    "append_policy": "SELECT evercore_append(3, NULL, 'E', public.data('c'))",
    "append_id": "SELECT evercore_append(1, NULL, 'E', public.data('i'), NULL, NULL, NULL, 'i')",
    "append_many": "SELECT jsonb_array_length(evercore_append_many(public.many()))",
    "insert": f"INSERT INTO evercore_append (aggregate_type, natural_key, aggregate_id, event_type, data)"
              f" VALUES (NULL, NULL, 3, {ROW}), (NULL, NULL, 1, {ROW}), ('T', 'new', NULL, {ROW})",
    "append_tagged": "SELECT evercore_append(1, NULL, 'E', public.data('t'), tags => '[\"a\"]')",
    "append_condition": "SELECT jsonb_array_length(evercore_append_many(public.tagged(), public.condition()))",
    "event_type": "SELECT evercore_event_type('E', 'patch')",
    "event_type_custom": "SELECT evercore_event_type('E', 'custom')",
    "event_type_rules": "SELECT evercore_event_type('E', public.rules())",
    "event_type_tags": "SELECT evercore_event_type('E', NULL, public.declared())",
    "event_type_schema": "SELECT evercore_event_type('E', NULL, public.refusing())",
    "aggregate_type": "SELECT evercore_aggregate_type('T', public.lacking_c())",
    "aggregate_type_changed": "SELECT evercore_aggregate_type('R', public.lacking_c())",
    "aggregate_type_null": "SELECT evercore_aggregate_type('R', public.anything())",
    "append_checked": "SELECT evercore_append(6, NULL, 'E', public.data('c'))",
    "append_many_checked": "SELECT jsonb_array_length(evercore_append_many(public.checked()))",
    "erase_checked": "SELECT evercore_erase(6)",
    "event_type_upcast": "SELECT evercore_event_type('E', NULL, public.moving())",
    "fill": "SELECT evercore_fill()",
    "snapshot": "SELECT evercore_snapshot(1)",
    "snapshot_policy": "SELECT evercore_snapshot_policy('T', 1, 1)",
    "snapshot_policy_new": "SELECT evercore_snapshot_policy('N', 1, 1)",
    "save_snapshot": "SELECT evercore_save_snapshot(1, 2, public.data('saved'), 1)",
    "compact": "SELECT evercore_compact(1, 0)",
    "compact_type": "SELECT evercore_compact_type('T', 1)",
    "subscribe": "SELECT evercore_subscribe('s')",
    "erase": "SELECT evercore_erase(1)",
    "rekey": "SELECT evercore_rekey(1, 'new')",
    "rekey_taken": "SELECT evercore_rekey(2, 'one')",
    "create": "SELECT evercore_create('T', 'new') > 0",
    "ensure": "SELECT evercore_ensure('T', 'new') > 0",
    "ensure_type": "SELECT evercore_ensure('N', 'new') > 0",
}

# Calls that look at states or change what they are: each is paired with the others of them and with those here, one of each kind.
OF_STATES = {"aggregate_type", "aggregate_type_changed", "aggregate_type_null", "append_checked", "append_many_checked", "erase_checked", "event_type_upcast"}
PARTNERS = {"append_policy", "append_many", "insert", "append_condition", "event_type_rules", "fill", "compact", "ensure_type"}
