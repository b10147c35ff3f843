/** `npm run build:wasm`: makes `agent/wire/checksum-wasm.ts` of `checksum.wat`. A test holds the two to each other. */
import { readFile, writeFile } from 'node:fs/promises';
import wabt from 'wabt';

const SOURCE = new URL('../agent/wire/checksum.wat', import.meta.url);
const TARGET = new URL('../agent/wire/checksum-wasm.ts', import.meta.url);

/** @returns the text of the module that is to stand in `checksum-wasm.ts`. */
export async function buildChecksumWasm(): Promise<string> {
  const { parseWat } = await wabt();
  const { buffer } = parseWat('checksum.wat', await readFile(SOURCE, 'utf8'), { simd: true }).toBinary({});
  const base64 = Buffer.from(buffer).toString('base64');
  const lines = base64.match(/.{1,110}/g)!.map((line, i, all) => `  '${line}'${i === all.length - 1 ? ';' : ' +'}`);
  return `/** \`checksum.wat\` as bytes, in base64: made by \`npm run build:wasm\`. */\nexport const CHECKSUM_WASM =\n${lines.join('\n')}\n`;
}

if (import.meta.main) await writeFile(TARGET, await buildChecksumWasm());
