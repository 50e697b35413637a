// The runtime as two files, nestling.h and nestling.cc, for projects that take sources:
//
//   node tools/single_file.mjs OUT [INCLUDE...]
//
// nestling.cc has the headers of Highway, protozero, RapidJSON and xxHash in it that the runtime
// uses, found in the folders INCLUDE (else /usr/include). What it is compiled with is said at its
// beginning, which is HOW_TO below.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOW_TO = `// The Nestling runtime, made by tools/single_file.mjs of its sources; nestling.h is its interface.
//
//   c++ -std=c++20 -O3 -fno-rtti -c nestling.cc
//
// Its kernels are compiled for one instruction set, that of the compiler's flags: on x86 give
// -march=haswell -maes or better, on 32-bit ARM -mfpu=neon-vfpv4 -mfp16-format=ieee.
`;

const BEFORE = `#if defined(__AVX2__) && !(defined(__AES__) && defined(__PCLMUL__))
#error "AVX2 needs -maes and -mpclmul too: without them Highway stays with SSSE3"
#endif
#define HWY_COMPILE_ONLY_STATIC
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64  // packages may lie anywhere in large files
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // RapidJSON's iterators
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"        // GCC's own AVX-512, as xxHash calls it
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // the same
#endif
#include "nestling.h"
`;

const lib = join(dirname(fileURLToPath(import.meta.url)), '..', 'lib');
const runtime = join(lib, 'runtime');
const [out, ...folders] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node tools/single_file.mjs OUT [INCLUDE...]');
  process.exit(2);
}
const roots = [lib, ...(folders.length > 0 ? folders : ['/usr/include'])];
const embedded = /^(hwy|protozero|rapidjson|runtime)\/|^xxhash\.h$/;
// Kernels for other processors than ARM's and Intel's are left out: nobody has run them.
const without = /^(arm_sve|rvv|wasm_128|wasm_256)-inl\.h$/;

const read = (path) => readFileSync(path, 'utf8');

// The word of each line's directive; undefined where there is none, as in comments.
function directivesOf(lines) {
  let comment = false;
  return lines.map((line) => {
    const word = comment ? undefined : line.match(/^\s*#\s*(\w+)/)?.[1];
    const code = line.replace(/\/\/.*|"[^"]*"/g, '');
    if (code.lastIndexOf('/*') > code.lastIndexOf('*/')) comment = true;
    else if (code.includes('*/')) comment = false;
    return word;
  });
}

// The directives of a file that only keep it from being included twice: its first condition, if
// that ends with the file.
function guardOf(lines, directives) {
  const opened = [];
  let first, last, count = 0;
  for (const [number, word] of directives.entries()) {
    if (word === undefined || (word === 'pragma' && lines[number].includes('once'))) continue;
    if (count++ === 0 && /^if/.test(word)) first = number;
    if (/^if/.test(word)) opened.push(number);
    if (word === 'endif' && opened.pop() === first) last = number;
    else last = undefined;
  }
  return last === undefined ? -1 : first;
}

// Text with the headers that it includes in their places. A header that was there before, under no
// condition, is left out.
class Inliner {
  #there;

  constructor(there = []) {
    this.#there = new Set(there);
  }

  file(path, conditional = false) {
    if (this.#there.has(path)) return '';
    if (!conditional) this.#there.add(path);
    return this.text(read(path), path, conditional);
  }

  text(content, path, conditional = false) {
    const lines = content.split('\n');
    const directives = directivesOf(lines);
    let depth = guardOf(lines, directives) >= 0 ? -1 : 0;
    const result = [];
    for (const [number, line] of lines.entries()) {
      const word = directives[number];
      if (/^if/.test(word ?? '')) ++depth;
      if (word === 'endif') --depth;
      if (word === 'pragma' && line.includes('once')) continue;
      const found = word === 'include' ? this.#find(line, path) : undefined;
      result.push(found === undefined ? line : this.file(found, conditional || depth > 0));
    }
    return result.join('\n');
  }

  // The file that a line includes, if it is to be embedded.
  #find(line, from) {
    const name = line.match(/[<"]([^<>"]+)[>"]/)?.[1];
    if (name === undefined || without.test(basename(name))) return undefined;
    if (line.includes('"')) {
      const beside = join(dirname(from), name);
      if (!from.startsWith(runtime) && existsSync(beside)) return beside;
    }
    if (!embedded.test(name)) return undefined;
    const root = roots.find((folder) => existsSync(join(folder, name)));
    if (root === undefined) throw new Error(`${name} is in none of ${roots.join(', ')}`);
    return join(root, name);
  }
}

// The names that a source keeps to itself: what it declares in a namespace without a name, or of
// Highway's, from which its code is indented no further.
function privateNames(source) {
  const names = new Set();
  let inside = false;
  for (const line of source.split('\n')) {
    if (/^namespace (HWY_NAMESPACE )?\{/.test(line)) inside = true;
    else if (/^}  \/\/ namespace/.test(line)) inside = false;
    else if (inside) names.add(declaredIn(line));
  }
  names.delete(undefined);
  return names;
}

function declaredIn(line) {
  if (/^(template|static_assert|namespace|extern)\b/.test(line)) return undefined;
  return (
    line.match(/^(?:enum class|struct|class|using) (\w+)/)?.[1] ??
    line.match(/^[\w:].*?(\w+)(?:\[\w*\])? ?(?:\(|\{|=)/)?.[1]
  );
}

// Everywhere in a source, but where it is a member of something.
function renamed(source, name, to) {
  return source.replace(new RegExp(`(?<![.\\w]|->|::)${name}\\b`, 'g'), to);
}

const files = ['', 'host/', 'ops/', 'schedule/']
  .flatMap((folder) => readdirSync(join(runtime, folder)).map((name) => folder + name))
  .filter((name) => /\.(cpp|h)$/.test(name))
  .sort()
  .map((name) => ({ name, path: join(runtime, name), text: read(join(runtime, name)) }));
const sources = files.filter(({ name }) => name.endsWith('.cpp'));
// How many files declare a name: of headers any, of sources what they keep to themselves.
const owners = new Map();
for (const { name, text } of files) {
  const names = name.endsWith('.h')
    ? new Set(text.split('\n').map(declaredIn))
    : privateNames(text);
  for (const declared of names) owners.set(declared, (owners.get(declared) ?? 0) + 1);
}
for (const source of sources) {
  const suffix = source.name.replace(/\W+/g, '_').replace(/_cpp$/, '');
  for (const name of privateNames(source.text)) {
    if (owners.get(name) > 1) source.text = renamed(source.text, name, `${name}_of_${suffix}`);
  }
}

// The headers that are installed: the C interface first, which a C compiler reads too.
const list = read(join(runtime, 'CMakeLists.txt')).match(/install\(FILES ([^)]*?)\s+DESTINATION/)[1];
const headers = list.split(/\s+/);
const interfaces = new Inliner();
const c = interfaces.file(join(runtime, 'nestling.h'));
const cpp = headers.map((name) => interfaces.file(join(runtime, name))).join('\n');
const header = `// The interface of the Nestling runtime: in C first, then in C++.
#pragma once
${c}
#ifdef __cplusplus
${cpp}
#endif
`;

const inliner = new Inliner(headers.map((name) => join(runtime, name)));
const operators = sources.flatMap(({ name }) => name.match(/^ops\/(\w+)\.cpp$/)?.slice(1) ?? []);
const table = `namespace nestling::runtime {
${operators.map((name) => `extern const Operator op_${name};`).join('\n')}
constexpr const Operator* kOperators[] = {${operators.map((name) => `&op_${name}`).join(', ')}};
}  // namespace nestling::runtime`;
const body = sources.map(({ name, path, text }) => {
  const whole = text.replace('#include "runtime/operators.h"', () => table);
  return `// ${name}\n${inliner.text(whole, path)}`;
});
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'nestling.h'), header);
writeFileSync(join(out, 'nestling.cc'), `${HOW_TO}${BEFORE}\n${body.join('\n')}`);
console.log(`${relative('.', out)}: nestling.h, nestling.cc`);
