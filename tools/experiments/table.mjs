// OUT...: what tools/experiments.sh accuracy measured there, each with a seed of its own, as a table:
// test accuracy in percent at the MACs of each capacity, of several seeds the mean and half the
// range, and the seconds of processor time that all capacities took.
import { existsSync, readFileSync } from 'node:fs';

const outs = process.argv.slice(2);
const read = (out, name) => JSON.parse(readFileSync(`${out}/${name}.json`, 'utf8'));
const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const range = (numbers) => Math.max(...numbers) - Math.min(...numbers);
const transposed = (rows) => rows[0].map((_, i) => rows.map((row) => row[i]));

// Of one run: {accuracies, seconds} of capacities that are nested, with their shares of the MACs, or
// of networks that are each by themselves, the largest being the vanilla model.
const nested = (name, before) => (out) => {
  const { capacities } = read(out, `${name}-test`);
  return {
    macs: capacities.map((c) => c.macs / read(out, 'vanilla').macs),
    accuracy: capacities.map((c) => c.accuracy),
    seconds: [name, ...before].reduce((sum, step) => sum + read(out, step).seconds, 0),
  };
};
const alone = (name, before) => (out) => {
  const results = [1, 2, 3, 4].map((k) => read(out, `${name}-${k}`));
  return {
    accuracy: [...results, read(out, 'vanilla')].map((result) => result.accuracy),
    seconds: [...results, ...before.map((step) => read(out, step))].reduce((sum, r) => sum + r.seconds, 0),
  };
};

const rows = [
  ['nested, joint', 'joint-test', nested('joint', ['prune'])],
  ['nested, full', 'full-test', nested('full', ['prune'])],
  ['nested, causal', 'causal-test', nested('causal', ['prune'])],
  ['slimmable, from scratch', 'slimmable-test', nested('slimmable', [])],
  ['TRR, retrained one by one', 'trr-4', alone('trr', ['prune'])],
  ['L1, retrained one by one', 'l1-4', alone('l1', ['prune-l1'])],
  ['from scratch', 'scratch-4', alone('scratch', [])],
  ['from scratch, distilled, longer', 'distilled-4', alone('distilled', [])],
];

const line = (title, cells, last) => console.log(title.padEnd(32) + cells.join('') + String(last).padStart(9));
const shares = transposed(outs.map((out) => nested('joint', ['prune'])(out).macs));
line('share of the MACs, %', shares.map((of) => (100 * mean(of)).toFixed(1).padStart(14)), 'seconds');
for (const [title, last, of] of rows) {
  const done = outs.filter((out) => existsSync(`${out}/${last}.json`)).map(of);
  if (done.length === 0) continue;
  const accuracies = transposed(done.map((run) => run.accuracy.map((a) => 100 * a)));
  const cells = accuracies.map((a) => {
    const spread = done.length > 1 ? ` ±${(range(a) / 2).toFixed(2)}` : '';
    return (mean(a).toFixed(2) + spread).padStart(14);
  });
  line(title, cells, Math.round(mean(done.map((run) => run.seconds))));
}

const { package: file, accumulated_bytes: independent } = read(outs[0], 'joint-test');
console.log(`package ${file.bytes} bytes, ${(file.bytes / independent).toFixed(2)} of independent ones`);
