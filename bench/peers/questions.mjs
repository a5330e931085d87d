// What every store is asked. A contender has: name; append(stream, events, version), which fails unless the stream is at
// `version`; read(stream), the number of its events; state(stream), their fold by replacing members; bytes(), what its
// files take.
import { randomUUID } from 'node:crypto';
import { at } from './report.mjs';

const STREAMS = 1000;
const LONG = 1000; // events of a stream that is read and folded

/** An event of about 120 bytes of data, as an application has them, with the id that makes it idempotent. */
function event(number) {
  const data = { username: `user-${number}`, email: `user${number}@example.org`, is_active: true, logins: number, city: 'Springfield' };
  return { id: randomUUID(), type: 'UserChanged', data };
}

const events = (count) => Array.from({ length: count }, (_, i) => event(i));

/** All questions to all contenders; `clients`: how many appends may be under way at once in the last. */
export async function ask(report, rounds, clients) {
  const versions = new Map(report.contenders.map((contender) => [contender, new Map()]));
  const waits = new Map(report.contenders.map((contender) => [contender, []]));
  let written = 0;

  const append = async (contender, stream, batch) => {
    const known = versions.get(contender);
    const version = known.get(stream) ?? 0;
    const started = performance.now();
    await contender.append(stream, batch, version);
    const wait = performance.now() - started;
    known.set(stream, version + batch.length);
    return wait;
  };

  const singles = 1000;
  await report.measure('one event a call', singles, rounds, async (contender, round) => {
    for (let i = 0; i < singles; ++i) {
      const wait = await append(contender, `user-${i % STREAMS}`, [event(i)]);
      if (round > 0) waits.get(contender).push(wait);
    }
  });
  written += singles * (rounds + 1);
  for (const [share, name] of [[0.5, '50 %'], [0.99, '99 %'], [0.999, '99.9 %']]) {
    report.figure(`${name} of these take at most`, 'ms', (contender) => at(waits.get(contender), share));
  }

  const calls = 30;
  await report.measure('100 events a call', calls * 100, rounds, async (contender, round) => {
    for (let i = 0; i < calls; ++i) await append(contender, `batch-${round}${i}`, events(100));
  });
  written += calls * 100 * (rounds + 1);
  for (const contender of report.contenders) await contender.settle();
  report.figure('bytes an event', 'bytes', (contender) => contender.bytes() / written);

  for (const contender of report.contenders) {
    for (let i = 0; i < LONG / 100; ++i) await append(contender, 'long-1', events(100));
    await contender.settle();
  }
  const reads = 20;
  await report.measure('events read, 1,000 a stream', reads * LONG, rounds, async (contender) => {
    for (let i = 0; i < reads; ++i) {
      if ((await contender.read('long-1')) !== LONG) throw new Error(`${contender.name} reads another number of events`);
    }
  });
  await report.measure('states of 1,000 events', reads, rounds, async (contender) => {
    for (let i = 0; i < reads; ++i) {
      if ((await contender.state('long-1')).logins !== 99) throw new Error(`${contender.name} has another state`);
    }
  });
  if (clients > 1) {
    await report.measure(`one event a call, ${clients} clients`, singles, rounds, async (contender) => {
      await Promise.all(Array.from({ length: clients }, async (_, client) => {
        for (let i = client; i < singles; i += clients) await append(contender, `user-${i % STREAMS}`, [event(i)]);
      }));
    });
  }
}
