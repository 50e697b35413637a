// OUT: what tools/experiments.sh accuracy measured there, as a table: test accuracy in percent at the
// MACs of each capacity, and the seconds of training for all of them.
import { existsSync, readFileSync } from 'node:fs';

const [out] = process.argv.slice(2);
const read = (name) => JSON.parse(readFileSync(`${out}/${name}.json`, 'utf8'));
const percent = (share) => (100 * share).toFixed(2).padStart(8);
const line = (name, cells, seconds) =>
  console.log(name.padEnd(34) + cells.join('') + String(seconds ?? '').padStart(8));

const ours = read('joint-test');
const vanilla = read('vanilla');
line('share of the MACs, %', ours.capacities.map((c) => percent(c.macs / vanilla.macs)), 'seconds');

const nested = (title, name, ...before) => {
  if (!existsSync(`${out}/${name}-test.json`)) return;
  const seconds = [name, ...before].reduce((sum, step) => sum + read(step).seconds, 0);
  line(title, read(`${name}-test`).capacities.map((c) => percent(c.accuracy)), seconds);
};
nested('nested, joint', 'joint', 'prune');
nested('nested, full', 'full', 'prune');
nested('nested, causal', 'causal', 'prune');
nested('slimmable, from scratch', 'slimmable');

const alone = (title, name, before) => {
  if (!existsSync(`${out}/${name}-4.json`)) return;
  const results = [1, 2, 3, 4].map((k) => read(`${name}-${k}`));
  const seconds = results.reduce((sum, result) => sum + result.seconds, before ? read(before).seconds : 0);
  line(title, [...results, vanilla].map((result) => percent(result.accuracy)), seconds);
};
alone('TRR, retrained one by one', 'trr', 'prune');
alone('L1, retrained one by one', 'l1', 'prune-l1');
alone('from scratch', 'scratch');
alone('from scratch, distilled, longer', 'distilled');

console.log(
  `package ${ours.package.bytes} bytes, ${(ours.package.bytes / ours.accumulated_bytes).toFixed(2)} of independent ones`,
);
