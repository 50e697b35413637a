// The runtime beside ONNX Runtime on the zoo's networks, 224x224, one image at a time: processes in
// turn, the ratio of their medians (ours / theirs), its range over the rounds.
//   NESTLING_PEERS=build/peers node tests/bench/peers/compare.mjs BIN OUT [NETWORK...]
// BIN has the programs, OUT keeps the models. --rounds=3 --runs=20 --threads=1,2
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const flags = { rounds: '3', runs: '20', threads: '1,2' };
const [bin, out, ...wanted] = process.argv.slice(2).filter((word) => {
  const flag = /^--(\w+)=(.*)$/.exec(word);
  if (flag) flags[flag[1]] = flag[2];
  return !flag;
});
const networks = wanted.length
  ? wanted
  : ['squeezenet1_1', 'mobilenet_v1', 'mobilenet_v2', 'mobilenet_v3_small', 'shufflenet_v2', 'resnet18',
      'resnet50', 'vgg16', 'googlenet', 'efficientnet_b0', 'densenet121'];
const run = (program, ...words) => execFileSync(program, words, { encoding: 'utf8' });

mkdirSync(out, { recursive: true });
const model = (name) => {
  const onnx = `${out}/${name}.onnx`, nest = `${out}/${name}.nest`;
  if (!existsSync(nest)) {
    run(`${bin}/nestling-train`, '--arch', name, '--input', '3x224x224', '--classes', '1000', '--epochs', '0',
      '--out', onnx, '--quiet');
    run(`${bin}/nestling-convert`, onnx, '--out', nest, '--quiet');
  }
  return { onnx, nest };
};
const ours = ({ nest }, threads) => {
  const result = JSON.parse(
    run(`${bin}/nestling-run`, nest, '--bench', '--runs', flags.runs, '--threads', threads, '--json'));
  return result.latency_ms.median;
};
const theirs = ({ onnx }, threads) =>
  JSON.parse(run('node', `${here}/onnxruntime.mjs`, onnx, '1,3,224,224', threads, flags.runs)).median;
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

console.log('network             threads    ours ms     ORT ms   ratio  range');
for (const name of networks) {
  const files = model(name);
  for (const threads of flags.threads.split(',')) {
    const rounds = Array.from({ length: Number(flags.rounds) }, () => [ours(files, threads), theirs(files, threads)]);
    const ratios = rounds.map(([a, b]) => a / b);
    const cells = [
      median(rounds.map(([a]) => a)).toFixed(2).padStart(11),
      median(rounds.map(([, b]) => b)).toFixed(2).padStart(11),
      median(ratios).toFixed(2).padStart(8),
      `  ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
    ];
    console.log(name.padEnd(20) + threads.padStart(7) + cells.join(''));
  }
}
