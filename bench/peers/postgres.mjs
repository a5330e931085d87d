// evercore beside other ways to keep events in PostgreSQL, all from Node over the same driver (npm's pg, which emmett has), each
// in a database of its own on the server of $EVERCORE_TEST_POSTGRES, with the same durability: what was answered is on disk.
import { execFileSync } from 'node:child_process';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';
import { Emmett } from './emmett.mjs';
import { ask } from './questions.mjs';
import { ask as askWorkloads } from './workloads.mjs';
import { Report } from './report.mjs';

const CLIENTS = 16;
const CONNECTIONS = 32;
const server = new URL(process.env.EVERCORE_TEST_POSTGRES.replace('@/', '@localhost/'));
const socket = server.searchParams.get('host');
const options = (database) => ({ host: socket, user: 'postgres', database, max: CONNECTIONS });
const psql = (database, ...words) =>
  execFileSync('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', socket, '-U', 'postgres', '-d', database, ...words], { stdio: ['ignore', 'ignore', 'inherit'] });

/** A store in a database of its own; its statements are prepared once a connection. */
class InDatabase {
  constructor(name, database) {
    this.name = name;
    this.database = database;
    this.names = new Map();
    psql('postgres', '-c', `CREATE DATABASE ${database}`);
    this.pool = new pg.Pool(options(database));
  }
  async all(sql, values, client = this.pool) {
    if (!this.names.has(sql)) this.names.set(sql, `s${this.names.size}`);
    return (await client.query({ name: this.names.get(sql), text: sql, values })).rows;
  }
  /** A statement for each of these values, more than one in a transaction. */
  async oneByOne(sql, values) {
    if (values.length === 1) return this.all(sql, values[0]);
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      for (const one of values) await this.all(sql, one, client);
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  }
  /** The pool serves all. */
  async client() {
    return this;
  }
  bytes() {
    return this.size - this.empty;
  }
  async settle() {
    await this.pool.query('VACUUM ANALYZE');
    const [row] = await this.all('SELECT pg_database_size(current_database())::float8 AS size', []);
    this.size = row.size;
    this.empty ??= row.size;
  }
  async close() {
    await this.pool.end();
  }
}

/** A table as most people would write it, and a fold in the program. */
class ByHand extends InDatabase {
  async open() {
    await this.pool.query(`CREATE TABLE event (position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream text NOT NULL,
      version bigint NOT NULL, id uuid NOT NULL UNIQUE, type text NOT NULL, data jsonb NOT NULL,
      time timestamptz NOT NULL DEFAULT now(), UNIQUE (stream, version))`);
    // The condition is looked at by a statement that begins when the lock is there: it sees what the one before it wrote.
    await this.pool.query(`CREATE TABLE event_tag (tag text, type text, position bigint, PRIMARY KEY (tag, type, position));
      CREATE FUNCTION decide(a_stream text, a_version bigint, an_id uuid, a_type text, a_data jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
      DECLARE at bigint;
      BEGIN
        PERFORM pg_advisory_xact_lock(1);
        IF EXISTS (SELECT FROM event_tag t WHERE t.tag = a_stream AND t.type = a_type) THEN RAISE 'the condition does not hold'; END IF;
        INSERT INTO event (stream, version, id, type, data) VALUES (a_stream, a_version, an_id, a_type, a_data) RETURNING position INTO at;
        INSERT INTO event_tag VALUES (a_stream, a_type, at);
        RETURN at;
      END $$`);
  }
  decide(tag, { id, type, data }, version) {
    return this.all('SELECT decide($1, $2, $3, $4, $5)', [tag, version + 1, id, type, data]);
  }
  repeat(stream, { id, type, data }, version) {
    const sql = 'INSERT INTO event (stream, version, id, type, data) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING';
    return this.all(sql, [stream, version + 1, id, type, data]);
  }
  appendAny(stream, { id, type, data }) {
    const sql = `INSERT INTO event (stream, version, id, type, data)
      SELECT $1, coalesce(max(version), 0) + 1, $2::uuid, $3, $4::jsonb FROM event WHERE stream = $1`;
    return this.all(sql, [stream, id, type, data]);
  }
  async append(stream, events, version) {
    const sql = 'INSERT INTO event (stream, version, id, type, data) VALUES ($1, $2, $3, $4, $5)';
    return this.oneByOne(sql, events.map(({ id, type, data }) => [stream, ++version, id, type, data]));
  }
  events(stream) {
    return this.all('SELECT version, id, type, data, time FROM event WHERE stream = $1 ORDER BY version', [stream]);
  }
  async read(stream) {
    return (await this.events(stream)).length;
  }
  async state(stream) {
    return (await this.events(stream)).reduce((state, row) => Object.assign(state, row.data), {});
  }
}

class EmmettStore extends Emmett(InDatabase) {
  async open() {
    this.store = getPostgreSQLEventStore(`postgresql://postgres@localhost/${this.database}?host=${socket}`, {
      connectionOptions: { pooled: true, pool: this.pool },
    });
    await this.store.schema.migrate();
  }
}

/** message-db has one event a call: more are a transaction. Its versions count from 0. */
class MessageDb extends InDatabase {
  async open() {
    execFileSync('build/peers/node_modules/@eventide/message-db/database/install.sh', {
      env: { ...process.env, DATABASE_NAME: this.database, CREATE_DATABASE: 'off', PGHOST: socket, PGUSER: 'postgres' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await this.pool.query(`ALTER DATABASE ${this.database} SET search_path = message_store, public`);
    await this.pool.end();
    this.pool = new pg.Pool(options(this.database));
  }
  async append(stream, events, version) {
    const sql = 'SELECT write_message($1, $2, $3, $4, NULL, $5)';
    return this.oneByOne(sql, events.map(({ id, type, data }) => [id, stream, type, data, version++ - 1]));
  }
  appendAny(stream, { id, type, data }) {
    return this.all('SELECT write_message($1, $2, $3, $4)', [id, stream, type, data]);
  }
  /** A second message of an id is refused. */
  async repeat(stream, { id, type, data }) {
    const refused = await this.appendAny(stream, { id, type, data }).then(() => false, (fault) => fault.code === '23505');
    if (!refused) throw new Error('message-db took an event twice');
  }
  fill(count, data) {
    return this.pool.query(`SELECT count(write_message(gen_random_uuid()::text, 'more-' || i / 100, 'test', '${data}')) FROM generate_series(0, ${count - 1}) i`);
  }
  events(stream) {
    return this.all('SELECT * FROM get_stream_messages($1, 0, -1)', [stream]);
  }
  async read(stream) {
    return (await this.events(stream)).map((row) => JSON.parse(row.data)).length;
  }
  async state(stream) {
    return (await this.events(stream)).reduce((state, row) => Object.assign(state, JSON.parse(row.data)), {});
  }
}

class Evercore extends InDatabase {
  async open() {
    execFileSync('sql/install', [`postgres://postgres@/${this.database}?host=${socket}`, 'evercore'], { stdio: ['ignore', 'ignore', 'inherit'] });
    await this.pool.query(`ALTER DATABASE ${this.database} SET search_path = evercore, public`);
    await this.pool.end();
    this.pool = new pg.Pool(options(this.database));
  }
  async append(stream, events, version) {
    if (events.length === 1) {
      const [{ id, type, data }] = events;
      const sql = `SELECT evercore_append(evercore_ensure('User', $1), $2, $3, $4, NULL, NULL, NULL, $5)`;
      return this.all(sql, [stream, version, type, JSON.stringify(data), id]);
    }
    const batch = events.map(({ id, type, data }) => ({ event_type: type, data, event_id: id }));
    const call = JSON.stringify([{ aggregate_type: 'User', natural_key: stream, expected: version, events: batch }]);
    return this.all('SELECT evercore_append_many($1)', [call]);
  }
  decide(tag, { id, type, data }, version) {
    const call = JSON.stringify([{ aggregate_type: 'User', natural_key: tag, expected: version, events: [{ event_type: type, data, event_id: id, tags: [tag] }] }]);
    return this.all('SELECT evercore_append_many($1, $2, 0)', [call, JSON.stringify([{ types: [type], tags: [tag] }])]);
  }
  repeat(stream, event, version) {
    return this.append(stream, [event], version);
  }
  appendAny(stream, event) {
    return this.append(stream, [event], null);
  }
  async read(stream) {
    const sql = `SELECT sequence, event_id, event_type, data, event_time FROM evercore_events(evercore_find('User', $1))`;
    return (await this.all(sql, [stream])).length;
  }
  async state(stream) {
    const [row] = await this.all(`SELECT evercore_state(evercore_find('User', $1)) AS state`, [stream]);
    return typeof row.state === 'string' ? JSON.parse(row.state) : row.state;
  }
}

const contenders = [new ByHand('by hand', 'peer_hand'), new EmmettStore('emmett 0.42', 'peer_emmett'), new MessageDb('message-db 1.3.1', 'peer_message_db'), new Evercore('evercore', 'peer_evercore')];
for (const contender of contenders) {
  await contender.open();
  await contender.settle();
}
const [rounds = 7, asked = 'questions'] = process.argv.slice(2);
const report = new Report(asked === 'workloads' ? 'workloads_postgres' : 'peers_postgres', contenders);
if (asked === 'workloads') await askWorkloads(report, Number(rounds));
else await ask(report, Number(rounds), CLIENTS);
report.finish();
for (const contender of contenders) await contender.close();
process.exit(0);
