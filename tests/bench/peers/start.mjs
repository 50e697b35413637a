// From the start to the first result, beside ONNX Runtime, one thread, 224x224:
//   NESTLING_PEERS=build/peers node tests/bench/peers/start.mjs BIN OUT NETWORK...
// OUT has the models, as compare.mjs makes them. --rounds=9
// Ours is a process from its start to its end, which reads the image from a file and writes the
// result; ONNX Runtime's time is that of loading it, its model and one inference in a process that
// runs already. Each with the model in the page cache, and without ("cold"). With --gpu=N ours runs on
// that GPU, for the first time and with the kernels that the time before compiled, and nobody else.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const words = process.argv.slice(2);
const flag = (name) => words.find((word) => word.startsWith(`--${name}=`))?.split('=')[1];
const rounds = Number(flag('rounds') ?? 9), gpu = flag('gpu');
const [bin, out, ...networks] = words.filter((word) => !word.startsWith('--'));

const folder = mkdtempSync(`${tmpdir()}/start-`);
const dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 224, 224), }";
const header = Buffer.from(`\x93NUMPY\x01\x00  ${dictionary.padEnd(117)}\n`, 'latin1');
header.writeUInt16LE(118, 8);
writeFileSync(`${folder}/x.npy`, Buffer.concat([header, Buffer.alloc(3 * 224 * 224 * 4)]));

const forget = (file) =>
  execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
const ours = (name, ...more) => {
  const begun = process.hrtime.bigint();
  execFileSync(`${bin}/nestling-run`, [`${out}/${name}.nest`, '--threads', '1', '--quiet', '--input',
    `${folder}/x.npy`, '--output', `${folder}/y.npy`, ...more]);
  return Number(process.hrtime.bigint() - begun) / 1e6;
};
const theirs = (name) =>
  JSON.parse(
    execFileSync('node', [`${here}/onnxruntime.mjs`, `${out}/${name}.onnx`, '1,3,224,224', '1', '0']),
  ).first;
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

if (gpu !== undefined) {
  const cache = `${folder}/kernels`;
  const onGpu = (name) => ours(name, '--backend', 'vulkan', '--gpu', gpu, '--gpu-cache', cache);
  console.log('network            first ms  again ms  ratio');
  for (const name of networks) {
    const times = Array.from({ length: rounds }, () => {
      rmSync(cache, { force: true });
      return [onGpu(name), onGpu(name)];
    });
    const [first, again] = [0, 1].map((i) => median(times.map((time) => time[i])));
    const cells = [first.toFixed(0).padStart(9), again.toFixed(0).padStart(10)];
    console.log(name.padEnd(18) + cells.join('') + (again / first).toFixed(2).padStart(7));
  }
  rmSync(folder, { recursive: true });
  process.exit(0);
}

console.log('network             ours ms  theirs ms  ratio   cold: ours  theirs  ratio');
for (const name of networks) {
  const times = { ours: [], theirs: [], oursCold: [], theirsCold: [] };
  for (let round = 0; round < rounds; ++round) {
    forget(`${out}/${name}.nest`);
    forget(`${out}/${name}.onnx`);
    times.oursCold.push(ours(name));
    times.theirsCold.push(theirs(name));
    times.ours.push(ours(name));
    times.theirs.push(theirs(name));
  }
  const [a, b, c, d] = [times.ours, times.theirs, times.oursCold, times.theirsCold].map(median);
  console.log(
    name.padEnd(18) + a.toFixed(1).padStart(9) + b.toFixed(1).padStart(11) + (a / b).toFixed(2).padStart(7) +
      c.toFixed(1).padStart(13) + d.toFixed(1).padStart(8) + (c / d).toFixed(2).padStart(7),
  );
}
rmSync(folder, { recursive: true });
