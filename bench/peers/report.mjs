// How evercore stands beside other stores: each question is put to all of them in turns, round by round, so that a noisy
// machine is noisy for all. The report has the shape of the other benchmarks (bench/harness.h): bench/plot draws it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const WIDE = 54;

export const median = (values) => at(values, 0.5);

/** The value below which `share` of the values lie. */
export function at(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Ticks of one process and of those children of it that have ended; 0 where it is no PostgreSQL server's. */
function serverTicks(process) {
  let stat;
  try {
    stat = readFileSync(`/proc/${process}/stat`, 'utf8');
  } catch {
    return 0; // it has ended: its server has counted it
  }
  if (!stat.includes('(postgres)')) return 0;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
  return fields[11] + fields[12] + fields[13] + fields[14];
}

/** Seconds of processor time of this program and of every PostgreSQL server, and of the whole machine. */
function processors() {
  const ticks = Number(execFileSync('getconf', ['CLK_TCK']));
  const [user, nice, system] = readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
  const own = process.cpuUsage();
  const servers = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).reduce((sum, name) => sum + serverTicks(name), 0);
  return {
    clock: performance.now() / 1000,
    all: (user + nice + system) / ticks,
    ours: (own.user + own.system) / 1e6 + servers / ticks,
  };
}

export class Report {
  constructor(title, contenders) {
    this.title = title;
    this.contenders = contenders;
    this.questions = [];
    this.figures = [];
    this.before = processors();
    console.log(`${title}, each a second; evercore ÷ each in brackets`);
    console.log(''.padEnd(WIDE) + contenders.map((c) => c.name.padStart(20)).join(''));
  }

  /** The load of others since the row before, in processors. */
  foreign() {
    const then = this.before;
    this.before = processors();
    return Math.max(0, (this.before.all - then.all - (this.before.ours - then.ours)) / (this.before.clock - then.clock));
  }

  /**
   * One question: `work(contender, round)` does `units` of it and is put to each contender in turns, `rounds` times after one
   * that does not count. Those that `has` denies are left out.
   */
  async measure(name, units, rounds, work, has = () => true) {
    const rates = new Map(this.contenders.filter(has).map((contender) => [contender, []]));
    for (let round = 0; round <= rounds; ++round) {
      for (const contender of rates.keys()) {
        const started = performance.now();
        await work(contender, round);
        if (round > 0) rates.get(contender).push((units * 1000) / (performance.now() - started));
      }
    }
    const ours = rates.get(this.contenders.at(-1));
    const foreign = this.foreign();
    let row = name.padEnd(WIDE);
    for (const contender of this.contenders) {
      const theirs = rates.get(contender);
      if (!theirs) {
        row += '-'.padStart(20);
        continue;
      }
      const ratios = ours.map((rate, round) => rate / theirs[round]);
      row += `${median(theirs).toFixed(0)} (${median(ratios).toFixed(2)})`.padStart(20);
      if (theirs === ours) continue;
      this.questions.push({
        name: `${name}, beside ${contender.name}`,
        ratio: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios),
        baseline_per_second: median(theirs), evercore_per_second: median(ours), foreign_load: foreign,
      });
    }
    console.log(row);
  }

  /** One figure of each contender but those that `has` denies. */
  figure(name, unit, value, has = () => true) {
    let row = `${name} (${unit})`.padEnd(WIDE);
    for (const contender of this.contenders) {
      if (!has(contender)) {
        row += '-'.padStart(20);
        continue;
      }
      const figure = value(contender);
      row += figure.toFixed(figure < 10 ? 2 : 0).padStart(20);
      this.figures.push({ name: `${name}, ${contender.name}`, value: figure, unit });
    }
    console.log(row);
  }

  finish() {
    mkdirSync('bench/out', { recursive: true });
    const { title, questions, figures } = this;
    writeFileSync(`bench/out/${title}.json`, JSON.stringify({ title, questions, figures }, null, 1) + '\n');
  }
}
