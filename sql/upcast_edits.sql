-- Upcasts that have much to do, all at once: step by step each copies the whole document. What a declaration takes away has nothing to do with what it
-- writes, so all its steps are told from the data as they are: as edits of objects, each of which is then made once, inner before outer.

-- Of each edit the path of the object, the member, and what that becomes: the value at a path of the data, or one of the declaration. It goes where
-- neither is said. Paths are arrays as text. `nested`: something below that path was taken before.
CREATE OR REPLACE FUNCTION _evercore_upcast_edits(data jsonb, steps text[], OUT places text[], OUT members text[], OUT sources text[], OUT givens text[], OUT nested boolean[])
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  step text[];
  taken text[];
  written text[];
  gone text[] := '{}';   -- what was taken so far,
  above text[] := '{}';  -- what stands above that,
  made text[] := '{}';   -- and what was written
  value jsonb;
  amount integer := 0;
BEGIN
  FOREACH step SLICE 1 IN ARRAY steps LOOP
    CONTINUE WHEN @has_nothing_to_do@;
    taken := CASE WHEN step[1] <> 'default' THEN step[2] END;
    written := step[3];
    IF taken IS NOT NULL THEN
      CONTINUE WHEN _evercore_absent(data, taken) <> 0 IS NOT FALSE;
      CONTINUE WHEN EXISTS (SELECT FROM generate_series(1, cardinality(taken)) AS i WHERE taken[:i]::text = ANY (gone));
    END IF;
    IF written IS NOT NULL THEN
      CONTINUE WHEN step[3] = ANY (made) OR coalesce(_evercore_absent(data, written), 0) = 0 OR cardinality(written) > @max_depth@;
      value := CASE WHEN taken IS NULL THEN step[4]::jsonb ELSE data #> taken END;
      IF step[2] = ANY (above) AND taken IS NOT NULL THEN
        SELECT _evercore_edited(value, e.places, e.members, NULL, NULL, NULL) INTO value FROM _evercore_edits_below(places, members, amount, taken) e;
      END IF;
      CONTINUE WHEN _evercore_is_deeper(value, @max_depth@ - cardinality(written));
      made := made || step[3];
    END IF;
    IF taken IS NOT NULL THEN
      nested[amount + 2] := step[2] = ANY (above);
      gone := gone || step[2];
      above := above || ARRAY(SELECT taken[:i]::text FROM generate_series(1, cardinality(taken) - 1) AS i);
      amount := amount + 1;
      places[amount] := taken[:cardinality(taken) - 1];
      members[amount] := taken[cardinality(taken)];
      sources[amount] := NULL;
      givens[amount] := NULL;
      nested[amount] := false;
    END IF;
    IF written IS NOT NULL THEN
      amount := amount + 1;
      places[amount] := written[:cardinality(written) - 1];
      members[amount] := written[cardinality(written)];
      sources[amount] := CASE WHEN taken IS NOT NULL THEN step[2] END;
      givens[amount] := step[4];
      nested[amount] := coalesce(nested[amount], false) AND taken IS NOT NULL;
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION _evercore_upcast_edits(jsonb, text[]) IS 'What the steps of an upcast do to data, as edits of objects.';

-- Of the first edits, those below a path that is taken later: they took something away, and are told from there.
CREATE OR REPLACE FUNCTION _evercore_edits_below(INOUT places text[], INOUT members text[], amount integer, path text[])
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_agg((e.place::text[])[cardinality(path) + 1:]::text ORDER BY e.no), array_agg(e.member ORDER BY e.no)
    FROM unnest(places, members) WITH ORDINALITY AS e (place, member, no)
   WHERE path IS NOT NULL AND e.no <= amount AND (e.place::text[])[:cardinality(path)] = path
$$;
COMMENT ON FUNCTION _evercore_edits_below(text[], text[], integer, text[]) IS 'The edits of what lies below a path.';

CREATE OR REPLACE FUNCTION _evercore_edited(data jsonb, places text[], members text[], sources text[], givens text[], nested boolean[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  amount integer := coalesce(cardinality(places), 0);
  level integer := (SELECT max(coalesce(cardinality(p.place::text[]), 0)) FROM unnest(places) AS p (place));
  becomes jsonb[];
  path text[];
  object jsonb;
  one record;
BEGIN
  FOR i IN 1 .. amount LOOP
    becomes[i] := CASE WHEN sources[i] IS NULL THEN givens[i]::jsonb ELSE data #> sources[i]::text[] END;
    CONTINUE WHEN nested[i] IS NOT TRUE;
    SELECT _evercore_edited(becomes[i], e.places, e.members, NULL, NULL, NULL) INTO object FROM _evercore_edits_below(places, members, i - 1, sources[i]::text[]) e;
    becomes[i] := object;
  END LOOP;
  WHILE level >= 0 LOOP
    FOR one IN SELECT e.place, array_agg(e.member) FILTER (WHERE e.value IS NULL) AS gone, jsonb_object_agg(e.member, e.value) FILTER (WHERE e.value IS NOT NULL) AS given
                 FROM unnest(places, members, becomes) AS e (place, member, value) WHERE cardinality(e.place::text[]) = level GROUP BY e.place LOOP
      path := one.place;
      object := coalesce(data #> path, '{}') || coalesce(one.given, '{}');
      IF one.gone IS NOT NULL THEN object := _evercore_without(object, one.gone); END IF;
      IF level = 0 THEN RETURN object; END IF;
      amount := amount + 1;
      places[amount] := path[:level - 1];
      members[amount] := path[level];
      becomes[amount] := object;
    END LOOP;
    level := level - 1;
  END LOOP;
  RETURN data;
END $$;
COMMENT ON FUNCTION _evercore_edited(jsonb, text[], text[], text[], text[], boolean[]) IS 'Data after edits of their objects.';

-- The same as text. Members stay in their order, those that are new come last, all in the spelling that they have.
CREATE OR REPLACE FUNCTION _evercore_edited_text(document json, places text[], members text[], sources text[], givens text[], nested boolean[]) RETURNS json
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  amount integer := coalesce(cardinality(places), 0);
  level integer := (SELECT max(coalesce(cardinality(p.place::text[]), 0)) FROM unnest(places) AS p (place));
  held jsonb;     -- the texts of the objects that are edited, and of what is taken, by path
  becomes text[];
  numbers integer[] := ARRAY(SELECT generate_series(1, amount));
  path text[];
  one record;
BEGIN
  held := _evercore_held_texts(document, ARRAY(SELECT u FROM unnest(places || sources) AS u WHERE u IS NOT NULL));
  FOR i IN 1 .. amount LOOP
    becomes[i] := CASE WHEN sources[i] IS NULL THEN givens[i] ELSE held->>sources[i] END;
    CONTINUE WHEN nested[i] IS NOT TRUE;
    SELECT _evercore_edited_text(becomes[i]::json, e.places, e.members, NULL, NULL, NULL) AS text INTO one
      FROM _evercore_edits_below(places, members, i - 1, sources[i]::text[]) e;
    becomes[i] := one.text;
  END LOOP;
  WHILE level >= 0 LOOP
    FOR one IN
      SELECT g.place, g.no, (
               SELECT '{' || coalesce(string_agg(to_json(m.key) || ':' || m.value, ',' ORDER BY m.place, m.no), '') || '}' FROM (
                 SELECT coalesce(o.key, c.member) AS key, CASE WHEN c.member IS NULL THEN o.value::text ELSE c.value END AS value,
                        o.key IS NULL AS place, coalesce(o.no, c.no) AS no
                   FROM json_each(coalesce(held->>g.place, '{}')::json) WITH ORDINALITY AS o (key, value, no)
                   FULL JOIN (SELECT u.member, CASE WHEN bool_and(u.value IS NOT NULL) THEN max(u.value) END AS value, min(u.no) AS no
                                FROM unnest(g.members, g.becomes, g.numbers) AS u (member, value, no) GROUP BY u.member) c ON c.member = o.key) m
                WHERE m.value IS NOT NULL) AS object
        FROM (SELECT e.place, min(e.no) AS no, array_agg(e.member) AS members, array_agg(e.value) AS becomes, array_agg(e.no) AS numbers
                FROM unnest(places, members, becomes, numbers) AS e (place, member, value, no) WHERE cardinality(e.place::text[]) = level GROUP BY e.place) g LOOP
      IF level = 0 THEN RETURN one.object; END IF;
      path := one.place;
      amount := amount + 1;
      places[amount] := path[:level - 1];
      members[amount] := path[level];
      becomes[amount] := one.object;
      numbers[amount] := one.no;
    END LOOP;
    level := level - 1;
  END LOOP;
  RETURN document;
END $$;
COMMENT ON FUNCTION _evercore_edited_text(json, text[], text[], text[], text[], boolean[]) IS 'A document after edits of its objects.';

-- An object of texts by path, as they stand there, of what can be reached through objects. Each object on the way is read once.
CREATE OR REPLACE FUNCTION _evercore_held_texts(document json, paths text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  held jsonb := jsonb_build_object('{}', document::text);
  found jsonb := held;  -- of one level
  holders text[];
  members text[];
BEGIN
  SELECT array_agg(w.path[:i - 1]::text), array_agg(w.path[i]) INTO holders, members
    FROM (SELECT DISTINCT (u::text[])[:i] AS path, i FROM unnest(paths) AS u, generate_series(1, cardinality(u::text[])) AS i) w (path, i);
  LOOP
    SELECT jsonb_object_agg((f.key::text[] || m.key)::text, m.value::text) INTO found
      FROM jsonb_each_text(found) f, json_each(CASE WHEN json_typeof(f.value::json) = 'object' THEN f.value ELSE '{}' END::json) m
      JOIN unnest(holders, members) AS w (holder, member) ON w.member = m.key
     WHERE w.holder = f.key;
    EXIT WHEN found IS NULL;
    held := held || found;
  END LOOP;
  RETURN held;
END $$;
COMMENT ON FUNCTION _evercore_held_texts(json, text[]) IS 'The texts at paths of a document.';
