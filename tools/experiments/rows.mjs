// HEADING: the first table under that heading of docs/results.md, whose columns are shares of the
// MACs and whose cells are test accuracies, for tools/experiments/accuracy.gp on standard output: a
// block a row. Cells in brackets are the vanilla model's, and belong to no row.
import { readFileSync } from 'node:fs';

const [heading] = process.argv.slice(2);
const lines = readFileSync(new URL('../../docs/results.md', import.meta.url), 'utf8').split('\n');
const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
if (start < 0) throw new Error(`docs/results.md has no heading '${heading}'`);

const cells = (line) => line.split('|').slice(1, -1).map((cell) => cell.trim());
const first = lines.findIndex((line, i) => i > start && line.startsWith('|'));
const end = lines.findIndex((line, i) => i > first && !line.startsWith('|'));
const [header, , ...rows] = lines.slice(first, end).map(cells);
for (const [title, ...accuracies] of rows) {
  const points = header.slice(1).flatMap((share, i) => {
    const macs = /^([\d.]+) %$/.exec(share), accuracy = /^\d\d\.\d\d$/.exec(accuracies[i]);
    return macs && accuracy ? [`${macs[1]} ${accuracy[0]}`] : [];
  });
  console.log([`"${title.replaceAll('`', '')}"`, ...points, '', ''].join('\n'));
}
