// Where the time goes, ours beside ONNX Runtime's, convolution by convolution:
//   NESTLING_PEERS=DIR node layers.mjs BIN MODEL.onnx MODEL.nest [THREADS] [RUNS]
// Medians of milliseconds. Both run what is fused with a convolution together with it; what else
// there is makes the last line. Convolutions are paired in the order of the file.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ort = createRequire(resolve(process.env.NESTLING_PEERS, '_'))('onnxruntime-node');
const [bin, onnx, nest, threads = '1', runs = '30'] = process.argv.slice(2);
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];

const ours = JSON.parse(
  execFileSync(`${bin}/nestling-run`, [nest, '--layers', '--runs', runs, '--threads', threads, '--json', '--quiet']),
).layers;
const isConv = (layer) => layer.op === 'conv' || layer.op === 'depthwise';

const folder = mkdtempSync(join(tmpdir(), 'layers-'));
const session = await ort.InferenceSession.create(onnx, {
  logSeverityLevel: 3,
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  enableProfiling: true,
  profileFilePrefix: join(folder, 'ort'),
});
const dims = [1, 3, 224, 224];
const data = new Float32Array(dims.reduce((a, b) => a * b, 1)).map(() => Math.random() - 0.5);
for (let i = 0; i < Number(runs); ++i) {
  await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', data, dims) });
}
session.endProfiling();
const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]), 'utf8'));
rmSync(folder, { recursive: true });

// By node, in the order of an inference: what it took in each.
const nodes = new Map();
for (const event of events) {
  if (event.cat !== 'Node' || !event.name.endsWith('_kernel_time')) continue;
  if (!nodes.has(event.name)) nodes.set(event.name, { op: event.args.op_name, ms: [] });
  nodes.get(event.name).ms.push(event.dur / 1000);
}
const theirs = [...nodes.values()].map(({ op, ms }) => ({ conv: /Conv/.test(op), ms: median(ms) }));

const sum = (list) => list.reduce((a, b) => a + b, 0);
const mine = ours.filter(isConv), others = theirs.filter((node) => node.conv);
console.log('convolution              MMACs     ours   theirs  ratio');
const line = (name, macs, a, b) =>
  console.log(`${name.padEnd(22)}${macs.padStart(8)}${a.toFixed(3).padStart(9)}${b.toFixed(3).padStart(9)}` +
    `${(a / b).toFixed(2).padStart(7)}`);
for (const [i, layer] of mine.entries()) {
  const [, channels, height, width] = layer.shape;
  line(`${layer.op === 'depthwise' ? 'depthwise ' : ''}${layer.kernel[0]}x${layer.kernel[1]}/${layer.stride[0]} ` +
    `${channels}x${height}x${width}`, (layer.macs / 1e6).toFixed(2), layer.median_ms, others[i]?.ms ?? NaN);
}
line('others', '', sum(ours.filter((layer) => !isConv(layer)).map((layer) => layer.median_ms)),
  sum(theirs.filter((node) => !node.conv).map((node) => node.ms)));
line('all', '', sum(ours.map((layer) => layer.median_ms)), sum(theirs.map((node) => node.ms)));
