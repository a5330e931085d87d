-- One event with tags, plainly given.
--
-- Each expression of a function is set up anew in each transaction, which costs more than to evaluate it. So there are few of them on the way
-- that is plain: no statement has gone before in the transaction, nothing is declared that concerns appends, and there are up to three tags.
-- evercore_append_many goes the same way in its own body, where a condition is one type and one tag (see macros.txt, A plain event with tags).

-- NULL, and nothing is done, where anything is or may be otherwise, also a fault.
CREATE OR REPLACE FUNCTION _evercore_append_tagged(id bigint, expected bigint, event_type text, data json, bears text[], newest bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  reached bigint;
  placed bigint;
  written bigint;
BEGIN
  IF (@plain_transaction@ AND @plain_bears@) IS NOT TRUE THEN RETURN NULL; END IF;
  @raise_version@
  IF NOT @unmarked@ THEN
    @lower_version@
    RETURN NULL;
  END IF;
  @hold_bears(bears; false)@
  @insert_tagged@
  RETURN reached;
END $$;
COMMENT ON FUNCTION _evercore_append_tagged(bigint, bigint, text, json, text[], bigint) IS
  'Appends one event with tags, where that is plain, and gives its sequence; else NULL.';
