// How near the inner loops of the ARM build come to the multiplications that a core could begin, by
// the schedules that LLVM has of cores:
//   node tests/bench/mca.mjs build/aarch64 [CPU[=CYCLES]...]
// CYCLES are those of one fmla, where LLVM's schedule does not know: by Arm's guide a Cortex-A55
// begins one of four floats in a cycle, not two. A Neoverse N1 stands for the Cortex-A76, whose core
// it has and which LLVM takes for an A57.
// Needs llvm-mca-19 (package llvm-19) and aarch64-linux-gnu-objdump. Every loop of at least 12 fmla,
// and none inside it, is a line: function, fmla and instructions in it, and for each core the share of
// what it could begin in the same time if there were nothing else.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const build = process.argv[2];
if (!build) {
  console.error('usage: mca.mjs BUILD [CPU[=CYCLES]...]');
  process.exit(2);
}
const given = process.argv.slice(3);
const cores = (given.length ? given : ['neoverse-n1', 'cortex-a55=1']).map((word) => word.split('='));
if (!existsSync(join(build, 'lib/runtime/CMakeFiles'))) {
  console.error(`mca.mjs: there is no build in ${build}`);
  process.exit(1);
}
const objects = readdirSync(join(build, 'lib/runtime/CMakeFiles'), { recursive: true })
  .filter((file) => /(^|\/)(conv|conv_half|depthwise|winograd)\.cpp\.o$/.test(file) && !/ops\//.test(file))
  .map((file) => join(build, 'lib/runtime/CMakeFiles', file));

const output = (program, args, options) => {
  try {
    return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  } catch (error) {
    console.error(error.code === 'ENOENT' ? `mca.mjs: ${program} is not installed` : `mca.mjs: ${error.message}`);
    process.exit(1);
  }
};

// [{name, code: [{address, text}]}]
const functionsOf = (object) => {
  const text = output('aarch64-linux-gnu-objdump', ['-dC', '--no-show-raw-insn', object]);
  const functions = [];
  for (const line of text.split('\n')) {
    const head = /^[0-9a-f]+ <(.*)>:$/.exec(line), code = /^\s+([0-9a-f]+):\s+(.*)$/.exec(line);
    if (head) functions.push({ name: head[1], code: [] });
    if (code) functions.at(-1).code.push({ address: parseInt(code[1], 16), text: code[2] });
  }
  return functions;
};

// Innermost loops: from the target of a branch back to the branch.
const loopsOf = ({ code }) => {
  const loops = [];
  code.forEach(({ address, text }, end) => {
    const target = /^(?:b\.\w+|cbn?z|tbn?z)\s.*?([0-9a-f]+) </.exec(text);
    if (!target || parseInt(target[1], 16) > address) return;
    const begin = code.findIndex((line) => line.address === parseInt(target[1], 16));
    if (begin >= 0) loops.push({ begin, end });
  });
  return loops
    .filter((loop) => !loops.some((other) => other !== loop && other.begin >= loop.begin && other.end <= loop.end))
    .map(({ begin, end }) =>
      code.slice(begin, end).map(({ text }) =>
        text.replace(/\s*\/\/.*|\s*<.*/g, '').replace(/^(b\.\w+|b|cbn?z|tbn?z)(\s.*?)[0-9a-f]+$/, '$1$2#8'),
      ),
    )
    .filter((loop) => loop.filter((text) => text.startsWith('fmla')).length >= 12);
};

const cyclesOf = (loop, cpu) => {
  const iterations = 500;
  const report = output(
    'llvm-mca-19',
    ['-mtriple=aarch64', `-mcpu=${cpu}`, `-iterations=${iterations}`, '-all-stats=false', '-all-views=false', '-summary-view'],
    // A branch that is always taken costs no more than one instruction.
    { input: loop.join('\n') + '\nsubs x30, x30, #1\n' },
  );
  return Number(/Total Cycles:\s+(\d+)/.exec(report)[1]) / iterations;
};

// Cycles of one fmla among many that do not wait for each other.
const peaks = Object.fromEntries(
  cores.map(([cpu, cycles]) => {
    if (cycles) return [cpu, Number(cycles)];
    const independent = Array.from({ length: 24 }, (_, i) => `fmla v${i}.4s, v30.4s, v31.s[0]`);
    return [cpu, cyclesOf(independent, cpu) / independent.length];
  }),
);

for (const object of objects) {
  for (const f of functionsOf(object)) {
    for (const loop of loopsOf(f)) {
      const fmla = loop.filter((text) => text.startsWith('fmla')).length;
      const shares = cores.map(([cpu]) => `${cpu} ${((100 * fmla * peaks[cpu]) / cyclesOf(loop, cpu)).toFixed(0)} %`);
      const name = f.name.replace(/nestling::runtime::|\(anonymous namespace\)::|N_NEON\w*::|\(.*/g, '').replace(/(\d)ul/g, '$1');
      console.log(`${name.padEnd(36)} ${String(fmla).padStart(3)} of ${String(loop.length).padStart(3)}   ${shares.join('   ')}`);
    }
  }
}
