// Runs an ONNX model with ONNX Runtime. Usage: node onnxruntime.mjs MODEL INPUT OUTPUT N,C,H,W
// INPUT and OUTPUT are raw float32 files.
import {readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';

const ort = createRequire(process.env.NESTLING_PEERS + '/')('onnxruntime-node');
const [model, input, output, shape] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, {logSeverityLevel: 3});
const bytes = readFileSync(input);
const data = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
const tensor = new ort.Tensor('float32', data, shape.split(',').map(Number));
const results = await session.run({[session.inputNames[0]]: tensor});
const result = results[session.outputNames[0]].data;
writeFileSync(output, Buffer.from(result.buffer, result.byteOffset, result.byteLength));
