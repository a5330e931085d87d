// evercore beside other ways to keep events in SQLite, all from Node over the same driver (npm's sqlite3, which emmett has),
// each in a file of its own, in WAL mode, with synchronous=FULL: what was answered is on disk.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { getSQLiteEventStore, sqliteConnection } from '@event-driven-io/emmett-sqlite';
import sqlite3 from 'sqlite3';
import { Emmett } from './emmett.mjs';
import { ask } from './questions.mjs';
import { ask as askWorkloads } from './workloads.mjs';
import { Report } from './report.mjs';

/** A connection whose calls give promises, with statements that are prepared once. */
class Connection {
  static async open(file) {
    const connection = new Connection();
    connection.db = await new Promise((done, fail) => {
      const db = new sqlite3.Database(file, (fault) => (fault ? fail(fault) : done(db)));
    });
    connection.statements = new Map();
    await connection.all('PRAGMA journal_mode = WAL');
    await connection.all('PRAGMA synchronous = FULL');
    await connection.all('PRAGMA busy_timeout = 5000');
    return connection;
  }
  all(sql, ...values) {
    let statement = this.statements.get(sql);
    if (!statement) this.statements.set(sql, (statement = this.db.prepare(sql)));
    return new Promise((done, fail) => statement.all(values, (fault, rows) => (fault ? fail(fault) : done(rows))));
  }
  load(extension) {
    return new Promise((done, fail) => this.db.loadExtension(extension, (fault) => (fault ? fail(fault) : done())));
  }
}

class OnFile {
  constructor(name, file) {
    this.name = name;
    this.file = file;
    this.clients = new Map([[0, this]]);
  }
  /** One of several clients: each has a connection of its own. */
  async client(number) {
    if (!this.clients.has(number)) {
      const client = new this.constructor(this.name, this.file);
      this.clients.set(number, client);
      await client.connect();
    }
    return this.clients.get(number);
  }
  bytes() {
    return statSync(this.file).size;
  }
  async settle() {
    await this.connection.all('PRAGMA wal_checkpoint(TRUNCATE)');
  }
}

/** A table as most people would write it, and a fold in the program. */
class ByHand extends OnFile {
  async connect() {
    this.connection = await Connection.open(this.file);
  }
  async open() {
    await this.connect();
    await this.connection.all(`CREATE TABLE event (position INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, version INTEGER NOT NULL,
      id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, data TEXT NOT NULL, time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
      UNIQUE (stream, version))`);
    await this.connection.all('CREATE TABLE event_tag (tag TEXT, type TEXT, position INTEGER, PRIMARY KEY (tag, type, position)) WITHOUT ROWID');
  }
  async decide(tag, { id, type, data }, version) {
    await this.connection.all('BEGIN IMMEDIATE');
    try {
      if ((await this.connection.all('SELECT 1 FROM event_tag WHERE tag = ? AND type = ?', tag, type)).length > 0) throw new Error('the condition does not hold');
      await this.append(tag, [{ id, type, data }], version);
      await this.connection.all('INSERT INTO event_tag VALUES (?, ?, last_insert_rowid())', tag, type);
      await this.connection.all('COMMIT');
    } catch (fault) {
      await this.connection.all('ROLLBACK');
      throw fault;
    }
  }
  repeat(stream, { id, type, data }, version) {
    const sql = 'INSERT INTO event (stream, version, id, type, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING';
    return this.connection.all(sql, stream, version + 1, id, type, JSON.stringify(data));
  }
  appendAny(stream, { id, type, data }) {
    const sql = 'INSERT INTO event (stream, version, id, type, data) SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4 FROM event WHERE stream = ?1';
    return this.connection.all(sql, stream, id, type, JSON.stringify(data));
  }
  async append(stream, events, version) {
    const sql = 'INSERT INTO event (stream, version, id, type, data) VALUES (?, ?, ?, ?, ?)';
    if (events.length > 1) await this.connection.all('BEGIN IMMEDIATE');
    for (const { id, type, data } of events) await this.connection.all(sql, stream, ++version, id, type, JSON.stringify(data));
    if (events.length > 1) await this.connection.all('COMMIT');
  }
  events(stream) {
    return this.connection.all('SELECT version, id, type, data, time FROM event WHERE stream = ? ORDER BY version', stream);
  }
  async read(stream) {
    return (await this.events(stream)).map((row) => JSON.parse(row.data)).length;
  }
  async state(stream) {
    return (await this.events(stream)).reduce((state, row) => Object.assign(state, JSON.parse(row.data)), {});
  }
}

/** emmett, with one connection that is kept: by itself it opens the file for every call. */
class EmmettStore extends Emmett(OnFile) {
  async open() {
    await this.connect();
  }
  async connect() {
    this.connection = await Connection.open(this.file);
    this.kept = sqliteConnection({ fileName: this.file });
    await this.kept.command('PRAGMA synchronous = FULL');
    await this.kept.command('PRAGMA busy_timeout = 5000');
    this.store = getSQLiteEventStore({ fileName: this.file, connectionOptions: { singleton: true, connection: this.kept } });
  }
}

class Evercore extends OnFile {
  async open() {
    await this.connect();
    await this.connection.all('SELECT evercore_migrate()');
  }
  async connect() {
    this.connection = await Connection.open(this.file);
    await this.connection.load(resolve('build/evercore.so'));
  }
  decide(tag, { id, type, data }, version) {
    const call = JSON.stringify([{ aggregate_type: 'User', natural_key: tag, expected: version, events: [{ event_type: type, data, event_id: id, tags: [tag] }] }]);
    return this.connection.all('SELECT evercore_append_many(?, ?, 0)', call, JSON.stringify([{ types: [type], tags: [tag] }]));
  }
  repeat(stream, event, version) {
    return this.append(stream, [event], version);
  }
  appendAny(stream, event) {
    return this.append(stream, [event], null);
  }
  async append(stream, events, version) {
    if (events.length === 1) {
      const [{ id, type, data }] = events;
      const sql = `INSERT INTO evercore_append (aggregate_type, natural_key, expected, event_type, data, event_id) VALUES ('User', ?, ?, ?, ?, ?)`;
      return this.connection.all(sql, stream, version, type, JSON.stringify(data), id);
    }
    const batch = events.map(({ id, type, data }) => ({ event_type: type, data, event_id: id }));
    const call = JSON.stringify([{ aggregate_type: 'User', natural_key: stream, expected: version, events: batch }]);
    return this.connection.all('SELECT evercore_append_many(?)', call);
  }
  async read(stream) {
    const sql = `SELECT sequence, event_id, event_type, data, event_time FROM evercore_events(evercore_find('User', ?))`;
    return (await this.connection.all(sql, stream)).map((row) => JSON.parse(row.data)).length;
  }
  async state(stream) {
    const [row] = await this.connection.all(`SELECT evercore_state(evercore_find('User', ?)) AS state`, stream);
    return JSON.parse(row.state);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'evercore-peers-'));
try {
  const contenders = [new ByHand('by hand', join(folder, 'hand.db')), new EmmettStore('emmett 0.42', join(folder, 'emmett.db')), new Evercore('evercore', join(folder, 'evercore.db'))];
  for (const contender of contenders) await contender.open();
  const [rounds = 7, asked = 'questions'] = process.argv.slice(2);
  const report = new Report(asked === 'workloads' ? 'workloads_sqlite' : 'peers_sqlite', contenders);
  if (asked === 'workloads') await askWorkloads(report, Number(rounds));
  else await ask(report, Number(rounds), 1);
  report.finish();
} finally {
  rmSync(folder, { recursive: true });
}
