// Times ONNX Runtime. node onnxruntime.mjs MODEL N,C,H,W THREADS RUNS: {"min", "median"} in ms, and
// "first", of loading it and the model and one inference.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const start = process.hrtime.bigint();
const ort = createRequire(resolve(process.env.NESTLING_PEERS, '_'))('onnxruntime-node');
const [model, shape, threads, runs] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, {
  logSeverityLevel: 3,
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
});
const dims = shape.split(',').map(Number);
const data = new Float32Array(dims.reduce((a, b) => a * b, 1)).map(() => Math.random() - 0.5);
const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, dims) };
await session.run(feeds);
const first = Number(process.hrtime.bigint() - start) / 1e6;
const times = [];
for (let i = -2; i < Number(runs); ++i) {
  const begun = process.hrtime.bigint();
  await session.run(feeds);
  if (i >= 0) times.push(Number(process.hrtime.bigint() - begun) / 1e6);
}
times.sort((a, b) => a - b);
console.log(JSON.stringify({ min: times[0], median: times[times.length >> 1], first }));
