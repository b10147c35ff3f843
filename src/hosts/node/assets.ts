/** The dashboard's files out of a folder: read and compressed once, kept in memory, and read anew when one was built anew. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** `/index.html`, or a file right in `/assets`: no path leads anywhere else. */
const PATH = /^\/(?:index\.html|assets\/[A-Za-z0-9_-][A-Za-z0-9._-]*)$/;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};
/** Compressed by themselves. */
const PACKED: ReadonlySet<string> = new Set(['.png', '.woff2']);

interface Kept {
  readonly changedAt: number;
  readonly type: string;
  readonly etag: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  /** By content coding, the best first. */
  readonly packed: readonly (readonly [coding: string, bytes: Uint8Array<ArrayBuffer>])[];
}

/** @returns the answer, `304` where the request says that it has the file; null where there is none. */
export type ReadAsset = (path: string, request: Request) => Promise<Response | null>;

/** @param folder null: there are no files. */
export function assetsIn(folder: string | null): ReadAsset {
  const kept = new Map<string, Kept>();

  async function keep(path: string): Promise<Kept | null> {
    if (folder === null || !PATH.test(path)) return null;
    const file = join(folder, path);
    const changedAt = await stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => null,
    );
    if (changedAt === null) return null;
    const known = kept.get(path);
    if (known?.changedAt === changedAt) return known;
    const read = pack(path, changedAt, new Uint8Array(await readFile(file)));
    kept.set(path, read);
    return read;
  }

  return async (path, request) => {
    const file = await keep(path);
    if (file === null) return null;
    const accepts = request.headers.get('accept-encoding') ?? '';
    const coded = file.packed.find(([coding]) => accepts.includes(coding));
    const headers = {
      etag: file.etag,
      vary: 'accept-encoding',
      'content-type': file.type,
      ...(coded === undefined ? {} : { 'content-encoding': coded[0] }),
    };
    if (request.headers.get('if-none-match') === file.etag) return new Response(null, { status: 304, headers });
    return new Response(coded?.[1] ?? file.plain, { headers });
  };
}

function pack(path: string, changedAt: number, plain: Uint8Array<ArrayBuffer>): Kept {
  const extension = extname(path);
  const options = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } };
  return {
    changedAt,
    type: TYPES[extension] ?? 'application/octet-stream',
    // Weak, since the same in another coding has it too.
    etag: `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
    plain,
    packed: PACKED.has(extension)
      ? []
      : [
          ['br', new Uint8Array(brotliCompressSync(plain, options))],
          ['gzip', new Uint8Array(gzipSync(plain))],
        ],
  };
}
