// Writes the first test image of an IDX data set as a PGM picture.
// Usage: node first-image.mjs DATA_FOLDER OUT.pgm
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

const [folder, out] = process.argv.slice(2);
const {splits} = JSON.parse(readFileSync(join(folder, 'dataset.json')));
const file = readFileSync(join(folder, splits.test.images));
const height = file.readUInt32BE(8), width = file.readUInt32BE(12);
const pixels = file.subarray(16, 16 + height * width);
writeFileSync(out, Buffer.concat([Buffer.from(`P5 ${width} ${height} 255\n`), pixels]));
