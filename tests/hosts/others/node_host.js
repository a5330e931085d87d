// Node: better-sqlite3 and libsql load the extension, the others of npm cannot and say so.
// node node_host.js <extension> <folder with node_modules>
const fs = require('fs');
const path = require('path');
const [library, folder] = process.argv.slice(2);
const load = (name) => require(require.resolve(name, { paths: [folder] }));
let passed = 0, failed = 0;
function check(what, right) {
  right ? passed++ : failed++;
  if (!right) console.log(`failed: ${what}`);
}
async function refuses(name, work) {
  try {
    await work();
    check(`${name} cannot load it`, false);
  } catch (error) {
    check(`${name} cannot load it, not: ${error}`, /not authorized|no such function|not a function|not implemented|unsupported|not supported|disabled/i.test(String(error)));
  }
}
function both(name, file) {
  const Database = load(name);
  const db = new Database(':memory:');
  db.loadExtension(path.resolve(file));
  const value = (sql, ...values) => db.prepare(sql).raw().get(...values)[0];
  value('SELECT evercore_migrate()');
  const insert = db.prepare('INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES (?, ?, ?, ?)');
  insert.run('User', 'ann', 'Created', '{"name":"Ann"}');
  check(`${name}: a call gives the sequence, its numbers may be doubles`, value('SELECT evercore_append(?, ?, ?, ?)', 1, 1, 'Named', '{"name":"Anna"}') === 2);
  check(`${name}: data may be a Buffer`, value('SELECT evercore_append(1, 2, ?, ?)', 'Named', Buffer.from('{"name":"Anne"}')) === 3);
  check(`${name}: the state is JSON`, value('SELECT evercore_state(1)') === '{"name":"Anne"}');
  try {
    value("SELECT evercore_append(1, 1, 'Named', '{}')");
    check(`${name}: a conflict is an error`, false);
  } catch (error) {
    check(`${name}: a conflict is SQLITE_CONSTRAINT_FUNCTION, not ${error.code}`, error.code === 'SQLITE_CONSTRAINT_FUNCTION' && error.message.startsWith('EV001: '));
  }
  const work = db.transaction(() => {
    insert.run('User', 'bob', 'Created', '{}');
    value("SELECT evercore_append(2, NULL, 'Named', '{}')");
    throw new Error('the work failed');
  });
  try { work(); } catch { /* as meant */ }
  check(`${name}: a failed transaction takes both back`, value('SELECT count(*) FROM evercore_log') === 3);
}
async function main() {
  both('better-sqlite3', library);
  // Each of the two brings an SQLite of its own: the second in one process takes a copy of the file.
  try {
    both('libsql', library);
    check('a second SQLite is refused', false);
  } catch (error) {
    check(`a second SQLite is refused, not: ${error}`, String(error).includes('named evercore2.so'));
  }
  const copy = path.join(folder, 'evercore2.so');
  fs.copyFileSync(library, copy);
  both('libsql', copy);
  const select = `SELECT load_extension('${path.resolve(library)}')`;
  await refuses('@libsql/client', () => load('@libsql/client').createClient({ url: 'file::memory:' }).execute(select));
  await refuses('@tursodatabase/database', async () => (await load('@tursodatabase/database').connect(':memory:')).prepare(select).get());
  await refuses('sql.js', async () => new (await load('sql.js')()).Database().exec(select));
  await refuses('node-sqlite3-wasm', () => new (load('node-sqlite3-wasm').Database)(':memory:').get(select));
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}
main();
