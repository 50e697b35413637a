// The runtime beside other engines on the zoo's networks, or on others that OUT has as .onnx and
// .nest, one image at a time: processes in turn, the ratio of their times (ours / theirs), its range
// over the rounds.
//   NESTLING_PEERS=build/peers node tests/bench/peers/compare.mjs BIN OUT [NETWORK...]
// BIN has the programs, OUT keeps the models. --rounds=3 --runs=20 --threads=1,2 --input=3x224x224
// ONNX Runtime, of NESTLING_PEERS, by medians. --ncnn=DIR, with benchncnn, and --mnn=DIR, with
// benchmark.out and its models, add what the user has built of these, by the least of the runs. With
// --gpu=N ours and ncnn, if it is built with Vulkan, run on that GPU, and there are no others.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const flags = { rounds: '3', runs: '20', threads: '1,2', ncnn: '', mnn: '', gpu: '', input: '3x224x224' };
const [bin, out, ...wanted] = process.argv.slice(2).filter((word) => {
  const flag = /^--(\w+)=(.*)$/.exec(word);
  if (flag) flags[flag[1]] = flag[2];
  return !flag;
});
const networks = wanted.length
  ? wanted
  : ['squeezenet1_1', 'mobilenet_v1', 'mobilenet_v2', 'mobilenet_v3_small', 'shufflenet_v2', 'resnet18',
      'resnet50', 'vgg16', 'googlenet', 'efficientnet_b0', 'densenet121'];
const size = flags.input.split('x');  // channels, height, width
const run = (program, ...words) => execFileSync(program, words, { encoding: 'utf8' });

mkdirSync(out, { recursive: true });
const model = (name) => {
  const onnx = `${out}/${name}.onnx`, nest = `${out}/${name}.nest`;
  if (!existsSync(nest)) {
    run(`${bin}/nestling-train`, '--arch', name, '--input', flags.input, '--classes', '1000', '--epochs', '0',
      '--out', onnx, '--quiet');
    run(`${bin}/nestling-convert`, onnx, '--out', nest, '--quiet');
  }
  return { onnx, nest };
};
const gpu = flags.gpu === '' ? [] : ['--backend', 'vulkan', '--gpu', flags.gpu, '--slice-ms', '0'];
const ours = ({ nest }, threads) =>
  JSON.parse(
    run(`${bin}/nestling-run`, nest, '--bench', '--runs', flags.runs, '--threads', threads, '--json', ...gpu),
  ).latency_ms;

// The lowest number behind "min =".
const least = (text) => {
  const found = /min =\s*([\d.]+)/.exec(text);
  if (!found) throw new Error(`no time in: ${text}`);
  return Number(found[1]);
};
// MNN's benchmark has models of its own, of the same architectures.
const mnnModels = {
  squeezenet1_1: 'squeezenetv1.1.mnn',
  mobilenet_v1: 'mobilenet-v1-1.0.mnn',
  mobilenet_v2: 'MobileNetV2_224.mnn',
  resnet50: 'resnet-v2-50.mnn',
};
const peers = [
  {
    name: 'ORT',
    has: () => flags.gpu === '',
    ours: (latency) => latency.median,
    time: (name, { onnx }, threads) =>
      JSON.parse(run('node', `${here}/onnxruntime.mjs`, onnx, `1,${size}`, threads, flags.runs)).median,
  },
  {
    name: 'ncnn',
    has: () => flags.ncnn !== '',
    ours: (latency) => latency.min,
    time: (name, { onnx }, threads) => {
      const folder = `${out}/ncnn/${name}`;
      if (!existsSync(folder)) {
        run(`${bin}/nestling-convert`, onnx, '--to', 'ncnn', '--out', folder, '--quiet');
      }
      const words = [flags.runs, threads, '2', flags.gpu || '-1', '0', `param=${folder}/capacity1.param`, `shape=[${[...size].reverse()}]`];
      return least(run('sh', '-c', '"$@" 2>&1', 'sh', `${flags.ncnn}/benchncnn`, ...words));
    },
  },
  {
    name: 'MNN',
    has: (name) => flags.mnn !== '' && flags.gpu === '' && name in mnnModels,
    ours: (latency) => latency.min,
    time: (name, files, threads) => {
      const folder = mkdtempSync(`${tmpdir()}/mnn-`);
      symlinkSync(`${flags.mnn}/models/${mnnModels[name]}`, `${folder}/model.mnn`);
      const cpu = '0', high = '1';
      const text = run(`${flags.mnn}/benchmark.out`, folder, flags.runs, '5', cpu, threads, high);
      rmSync(folder, { recursive: true });
      return least(text);
    },
  },
];
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

console.log('network             threads  engine    ours ms  theirs ms   ratio  range');
for (const name of networks) {
  const files = model(name);
  const present = peers.filter((peer) => peer.has(name));
  for (const threads of flags.threads.split(',')) {
    const rounds = Array.from({ length: Number(flags.rounds) }, () => ({
      ours: ours(files, threads),
      theirs: present.map((peer) => peer.time(name, files, threads)),
    }));
    present.forEach((peer, i) => {
      const mine = rounds.map((round) => peer.ours(round.ours)), theirs = rounds.map((round) => round.theirs[i]);
      const ratios = mine.map((time, round) => time / theirs[round]);
      const cells = [
        median(mine).toFixed(2).padStart(11),
        median(theirs).toFixed(2).padStart(11),
        median(ratios).toFixed(2).padStart(8),
        `  ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`,
      ];
      console.log(name.padEnd(20) + threads.padStart(7) + `  ${peer.name}`.padEnd(8) + cells.join(''));
    });
  }
}
