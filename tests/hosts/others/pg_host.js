// Node's pg over PostgreSQL: objects are JSON, Dates are times; an array is sent as PostgreSQL's own, so JSON arrays are made text.
// node pg_host.js <folder of the server's socket> <folder with node_modules>
const [host, folder] = process.argv.slice(2);
const { Client } = require(require.resolve('pg', { paths: [folder] }));
let passed = 0, failed = 0;
function check(what, right) {
  right ? passed++ : failed++;
  if (!right) console.log(`failed: ${what}`);
}
async function main() {
  const db = new Client({ host, user: 'postgres', database: 'hosts' });
  await db.connect();
  await db.query('SET search_path = evercore, public');
  const value = async (sql, ...values) => Object.values((await db.query(sql, values)).rows[0])[0];
  const id = await value("SELECT evercore_ensure('Node', $1)", 123);
  check('a number is a key', await value("SELECT evercore_find('Node', $1)", '123') === id);
  check('an object is data', await value("SELECT evercore_append($1, $2, 'E', $3)", id, 0, { a: 1 }) === '1');
  check('a Buffer is data', await value("SELECT evercore_append($1, $2, 'E', $3)", Number(id), 1, Buffer.from('{"b":2}')) === '2');
  const noon = new Date('2026-07-01T12:00:00Z');
  check('a Date is a time', await value("SELECT evercore_append($1, NULL, 'E', '{}', NULL, NULL, $2)", id, noon) === '3' &&
    (await value('SELECT event_time FROM evercore_events($1, 2)', id)).getTime() === noon.getTime());
  const events = [{ event_type: 'E', data: { c: 3 } }];
  check('appends are text', (await value('SELECT evercore_append_many($1)', JSON.stringify([{ aggregate_id: id, events }])))[0].sequence === 4);
  await db.query("INSERT INTO evercore_append (aggregate_id, event_type, data, tags) VALUES ($1, 'E', $2, $3)", [id, { d: 4 }, JSON.stringify(['node:1'])]);
  check('the state is an object', JSON.stringify(await value('SELECT evercore_state($1)', id)) === '{"a":1,"b":2,"c":3,"d":4}');
  const conflict = await value("SELECT evercore_append($1, 0, 'E', '{}')", id).catch((error) => error.code);
  check('a conflict has its SQLSTATE', conflict === 'EV001');
  await db.end();
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}
main();
