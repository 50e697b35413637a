// GROWN.json K RUN: the model of RUN's roadmap whose MACs are nearest to those of capacity K.
import { readFileSync } from 'node:fs';

const [grown, k, run] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const { macs } = read(grown).capacities[k - 1];
const distance = (entry) => Math.abs(Math.log(entry.macs / macs));
const { entries } = read(`${run}/roadmap.json`);
const nearest = entries.reduce((a, b) => (distance(b) < distance(a) ? b : a));
console.log(`${run}/${nearest.model}`);
