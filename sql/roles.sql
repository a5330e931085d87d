-- Rights. Three roles a store: the owner owns everything; the writer may call what appends and reads but has no right on a
-- table; the reader may read relations and call what reads. Functions run as the owner, on a search_path of their own.
-- Subscriptions are the writer's, who may also read evercore_subscriptions, evercore_event_types and evercore_aggregate_types. evercore_fetch is not for readers:
-- one that is empty locks the row of its partition to note what it saw, and who only reads must not hold up workers.

-- Who may call a function, in all its forms: a reader, and then a writer too, or a writer. What is not named here is the owner's; a test
-- asks that every public function is.
CREATE OR REPLACE FUNCTION _evercore_rights() RETURNS TABLE (routine text, least_role text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
  SELECT u, 'reader' FROM unnest('{evercore_version,evercore_time,evercore_check,evercore_stats,evercore_find,evercore_sequence,evercore_head,evercore_follow,evercore_query,
      evercore_validate,evercore_upcast,evercore_events,evercore_replay,evercore_state,evercore_history,_evercore_in_flight,_evercore_lag,_evercore_time_text}'::text[]) u
  UNION ALL
  SELECT u, 'owner' FROM unnest('{evercore_migrate,evercore_restored,evercore_rename_type,evercore_index_types,evercore_fill,evercore_compact,
      evercore_compact_type,evercore_erase}'::text[]) u
  UNION ALL
  SELECT u, 'writer' FROM unnest('{evercore_create,evercore_ensure,evercore_rekey,evercore_append,evercore_append_many,evercore_event_type,evercore_aggregate_type,evercore_snapshot,
      evercore_save_snapshot,evercore_snapshot_policy,evercore_subscribe,evercore_pause,evercore_resume,evercore_reset,evercore_unsubscribe,
      evercore_claim,evercore_fetch,evercore_ack,evercore_renew,evercore_release,_evercore_publish_floor,_evercore_json_text,_evercore_declare_fold,
      _evercore_hold_declarations,_evercore_declares_states,_evercore_options_text}'::text[]) u
$$;
COMMENT ON FUNCTION _evercore_rights() IS 'Which role may call a function.';

-- What is right already is left alone: each change of an ACL makes every session compile its functions again.
CREATE OR REPLACE FUNCTION _evercore_grant() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, @extschema@, pg_temp AS $$
DECLARE
  routine record;
  relation record;
BEGIN
  FOR routine IN
    SELECT p.oid::regprocedure AS signature, l.least_role,
           EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x WHERE x.grantee = 0) AS public_may,
           EXISTS (SELECT FROM aclexplode(p.proacl) x WHERE x.grantee = to_regrole('@writer@')::oid) AS writer_may,
           EXISTS (SELECT FROM aclexplode(p.proacl) x WHERE x.grantee = to_regrole('@reader@')::oid) AS reader_may
      FROM pg_proc p LEFT JOIN _evercore_rights() l ON l.routine = p.proname
     WHERE p.pronamespace = '@extschema@'::regnamespace AND p.proname ~ '^_?evercore_' AND p.proowner = to_regrole('@owner@')::oid LOOP
    IF routine.public_may THEN EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', routine.signature); END IF;
    IF routine.least_role IN ('writer', 'reader') AND NOT routine.writer_may THEN
      EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO @writer@', routine.signature);
    END IF;
    IF routine.least_role = 'reader' AND NOT routine.reader_may THEN EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO @reader@', routine.signature); END IF;
  END LOOP;
  FOR relation IN
    SELECT c.oid::regclass AS name, w.role, w.privilege FROM pg_class c,
           LATERAL (VALUES (to_regrole('@reader@'), 'SELECT'), (CASE c.relname WHEN 'evercore_append' THEN to_regrole('@writer@') END, 'INSERT'),
                           (CASE WHEN c.relname IN ('evercore_aggregate_types', 'evercore_event_types', 'evercore_subscriptions') THEN to_regrole('@writer@') END, 'SELECT')) AS w (role, privilege)
     WHERE c.relnamespace = '@extschema@'::regnamespace AND c.relkind IN ('r', 'v', 'p') AND c.relname ~ '^evercore_' AND w.role IS NOT NULL
       AND NOT EXISTS (SELECT FROM aclexplode(c.relacl) x WHERE x.grantee = w.role::oid AND x.privilege_type = w.privilege) LOOP
    EXECUTE format('GRANT %s ON %s TO %s', relation.privilege, relation.name, relation.role);
  END LOOP;
  -- A function in a view is called by whoever reads the view.
  FOR relation IN
    SELECT r.oid::regrole AS role FROM pg_class c, aclexplode(c.relacl) x, pg_roles r
     WHERE c.oid = to_regclass('@extschema@.evercore_subscriptions') AND x.privilege_type = 'SELECT' AND r.oid = x.grantee
       AND NOT has_function_privilege(r.oid, '@extschema@._evercore_lag(bigint, integer)', 'EXECUTE') LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION @extschema@._evercore_lag(bigint, integer) TO %s', relation.role);
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_grant() IS 'Gives the writer and the reader what is theirs, and nobody else anything.';
