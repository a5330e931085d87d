// The workloads of the public event-store benchmark (pyeventsourcing/event-store-benchmark, configs/): writers of 256-byte events
// on fresh streams of ten, readers of random streams, both at once, and appends under a condition of one tag and one type. Added:
// reads that hit while others write, events that are sent again, one hot stream, and the same among more events.
//
// A contender has besides what questions.mjs asks: client(number), what one of several clients uses. Where it has them it is asked:
// decide(tag, event, version), an append on the condition that no event of this type bears the tag; repeat(stream, event, version),
// an append that was made before and must not be made twice; appendAny(stream, event), at whatever version.
import { randomUUID } from 'node:crypto';
import { at } from './report.mjs';

const LENGTH = 10; // events of a stream
const STREAMS = 500; // that are there for readers
const CALLS = 640; // in a round; each number of clients divides it
const MORE = Math.max(1000, Number(process.env.EVERCORE_BENCH_EVENTS ?? 100000));

/** An event of 256 bytes of data. */
function event(number) {
  const data = { number, text: '' };
  data.text = 'x'.repeat(256 - JSON.stringify(data).length);
  return { id: randomUUID(), type: `test-${number % LENGTH}`, data };
}

const events = (count) => Array.from({ length: count }, (_, i) => event(i));
const filled = (number) => `filled-${number}`;

/** What several clients do at once with a contender; a call that fails is counted and made again. */
class Clients {
  constructor(contender) {
    this.contender = contender;
    this.forget();
  }
  forget() {
    this.failed = 0;
    this.waits = [];
  }
  async make(work) {
    const started = performance.now();
    for (let times = 0; ; ++times) {
      try {
        await work();
        break;
      } catch (fault) {
        ++this.failed;
        if (times === 200) throw fault;
      }
    }
    this.waits.push(performance.now() - started);
  }
  /** `work(client, calls)` by each of so many, from number `first` on. */
  all(clients, calls, work, first = 0) {
    return Promise.all(Array.from({ length: clients }, async (_, number) => work(await this.contender.client(first + number), calls / clients)));
  }
  async write(client, calls) {
    for (let i = 0, stream; i < calls; ++i) {
      if (i % LENGTH === 0) stream = randomUUID();
      const one = event(i);
      await this.make(() => client.append(stream, [one], i % LENGTH));
    }
  }
  async read(client, calls) {
    for (let i = 0; i < calls; ++i) {
      const found = await client.read(filled(Math.floor(Math.random() * STREAMS)));
      if (found !== LENGTH) throw new Error(`${this.contender.name} reads ${found} events`);
    }
  }
  async decide(client, calls) {
    for (let i = 0, tag; i < calls; ++i) {
      if (i % LENGTH === 0) tag = randomUUID();
      const one = event(i);
      await this.make(() => client.decide(tag, one, i % LENGTH));
    }
  }
  async repeat(client, calls) {
    const stream = randomUUID();
    const sent = events(LENGTH);
    for (const [version, one] of sent.entries()) await this.make(() => client.append(stream, [one], version));
    for (let i = 0; i < calls; ++i) await this.make(() => client.repeat(stream, sent[i % LENGTH], i % LENGTH));
  }
  async heat(client, calls, stream) {
    for (let i = 0; i < calls; ++i) await this.make(() => client.appendAny(stream, event(i)));
  }
}

async function fill(report) {
  for (const contender of report.contenders) {
    for (let i = 0; i < STREAMS; ++i) await contender.append(filled(i), events(LENGTH), 0);
    await contender.settle();
  }
}

/** The same again with more events around. */
async function grow(report) {
  for (const contender of report.contenders) {
    if (contender.fill) await contender.fill(MORE, JSON.stringify(event(0).data));
    else for (let i = 0; i < MORE / 100; ++i) await contender.append(`more-${i}`, events(100), 0);
    await contender.settle();
  }
}

export async function ask(report, rounds) {
  await fill(report);
  /** One question to those that can `has`; how long its calls took, and how many failed, where they are many clients. */
  const question = async (name, clients, units, work, has) => {
    const of = new Map(report.contenders.map((contender) => [contender, new Clients(contender)]));
    const asked = (contender) => !has || has in contender;
    await report.measure(name, units, rounds, (contender, round) => {
      if (round === 1) of.get(contender).forget(); // the first does not count
      return work(of.get(contender));
    }, asked);
    if ([...of.values()].some((one) => one.waits.length > 0)) {
      report.figure(`99 % take at most, ${name}`, 'ms', (contender) => at(of.get(contender).waits, 0.99), asked);
    }
    if ([...of.values()].some((one) => one.failed > 0)) {
      report.figure(`failed and made again of 1,000, ${name}`, 'calls', (contender) => (of.get(contender).failed / of.get(contender).waits.length) * 1000, asked);
    }
  };
  const writers = (count, where = '') => question(`${count} ${count === 1 ? 'writer' : 'writers'}${where}`, count, CALLS, (c) => c.all(count, CALLS, c.write.bind(c)));
  const readers = (count, where = '') =>
    question(`events by ${count} ${count === 1 ? 'reader' : 'readers'}${where}`, count, CALLS * LENGTH, (c) => c.all(count, CALLS, c.read.bind(c)));

  for (const count of [1, 4, 16, 32]) await writers(count);
  for (const count of [1, 4, 16]) await readers(count);
  await question('8 writers and 8 readers', 16, CALLS, (c) =>
    Promise.all([c.all(8, CALLS / 2, c.write.bind(c)), c.all(8, CALLS / 2, c.read.bind(c), 8)]));
  for (const count of [1, 16]) {
    await question(`${count} under a condition`, count, CALLS, (c) => c.all(count, CALLS, c.decide.bind(c)), 'decide');
  }
  await question('4 writers that repeat', 4, CALLS, (c) => c.all(4, CALLS, c.repeat.bind(c)), 'repeat');
  let hot = 0;
  await question('16 writers on one stream', 16, CALLS, (c) => {
    const stream = `hot-${hot++}`;
    return c.all(16, CALLS, (client, calls) => c.heat(client, calls, stream));
  }, 'appendAny');
  await grow(report);
  const among = `, ${MORE.toLocaleString('en')} more`;
  await writers(1, among);
  await writers(16, among);
  await readers(4, among);
}
