import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FOLDER_RULES, PACKAGE_RULES } from './import-rules.ts';

const REPOSITORY = join(import.meta.dirname, '..');

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

interface SourceFile {
  /** From the repository's root, with slashes. */
  readonly path: string;
  readonly imports: readonly Import[];
}

// A statement starts a line (biome sees to it); `new URL` is how a worker thread's file is named.
const STATIC = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const DYNAMIC = /\b(?:import|require)\s*\(\s*['"]([^'"]+)['"]|\bnew URL\(\s*['"](\.[^'"]+\.tsx?)['"]/g;

function importsOf(text: string): Import[] {
  return [
    ...text.matchAll(STATIC).map(([, type, specifier]) => ({ specifier: specifier!, typeOnly: type !== undefined })),
    ...text.matchAll(DYNAMIC).map(([, call, url]) => ({ specifier: (call ?? url)!, typeOnly: false })),
  ];
}

function readSources(root: string): SourceFile[] {
  return readdirSync(join(REPOSITORY, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => {
      const path = posix.join(root, name.replaceAll('\\', '/'));
      return { path, imports: importsOf(readFileSync(join(REPOSITORY, path), 'utf8')) };
    });
}

const isLocal = (specifier: string): boolean => specifier.startsWith('.');
const resolve = (from: string, specifier: string): string => posix.join(posix.dirname(from), specifier);
const isWithin = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

/** The rule that a file is under: the one of the longest folder. */
function folderOf(path: string): string | undefined {
  return FOLDER_RULES.map(({ folder }) => folder)
    .filter((folder) => isWithin(path, folder))
    .sort((a, b) => b.length - a.length)[0];
}

function brokenFolderRules({ path, imports }: SourceFile): string[] {
  const own = folderOf(path);
  const rule = FOLDER_RULES.find(({ folder }) => folder === own);
  if (rule === undefined) return [`${path} is under no rule: add its folder to test/import-rules.ts`];
  return imports
    .filter(({ specifier }) => isLocal(specifier))
    .map(({ specifier }) => resolve(path, specifier))
    .filter((target) => {
      const folder = folderOf(target);
      if (folder === own) return false;
      return !rule.mayImport.some((allowed) =>
        allowed.endsWith('/**') ? isWithin(target, allowed.slice(0, -3)) : target === allowed || folder === allowed,
      );
    })
    .map((target) => `${path} may not import ${target}: ${rule.because}`);
}

function brokenPackageRules({ path, imports }: SourceFile): string[] {
  const folder = folderOf(path) ?? '';
  return imports.flatMap(({ specifier }) =>
    isLocal(specifier)
      ? []
      : PACKAGE_RULES.filter(({ packages, onlyIn }) => packages.test(specifier) && !onlyIn.includes(folder)).map(
          ({ because }) => `${path} may not import ${specifier}: ${because}`,
        ),
  );
}

/** What a file counts as when cycles are sought: its folder, or itself where it stands at a root that others hang from. */
function nodeOf(path: string): string {
  const folder = folderOf(path) ?? posix.dirname(path);
  return folder === 'src' || folder === 'agent' || folder === 'cli' ? path : folder;
}

/** @returns one cycle among folders as a path, or null. */
function findCycle(files: readonly SourceFile[]): string | null {
  const edges = new Map<string, Set<string>>();
  for (const { path, imports } of files) {
    for (const { specifier } of imports) {
      if (!isLocal(specifier)) continue;
      const [from, to] = [nodeOf(path), nodeOf(resolve(path, specifier))];
      if (from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
  }
  const done = new Set<string>();
  const visit = (node: string, trail: readonly string[]): string | null => {
    if (trail.includes(node)) return [...trail.slice(trail.indexOf(node)), node].join(' → ');
    if (done.has(node)) return null;
    for (const next of edges.get(node) ?? []) {
      const cycle = visit(next, [...trail, node]);
      if (cycle !== null) return cycle;
    }
    done.add(node);
    return null;
  };
  for (const node of edges.keys()) {
    const cycle = visit(node, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

const files = ['src', 'agent', 'shared', 'cli', 'demo'].flatMap(readSources);
/** Built before anything runs, and installed as files without imports. */
const isBuilt = ({ path }: SourceFile): boolean => isWithin(path, 'src/dashboard');

describe('the tree', () => {
  it('imports only what its folders may', () => {
    expect(files.flatMap(brokenFolderRules)).toEqual([]);
  });

  it('imports packages only where they may be', () => {
    expect(files.flatMap(brokenPackageRules)).toEqual([]);
  });

  it('has no cycle between folders', () => {
    expect(findCycle(files)).toBeNull();
  });

  it('runs on the packages that are installed with it, not on those for its development', () => {
    const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const running = files.filter((file) => !isBuilt(file));
    const missing = running.flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier, typeOnly }) => !typeOnly && !isLocal(specifier) && !/^(node|cloudflare):/.test(specifier))
        .map(({ specifier }) => /^(@[^/]+\/)?[^/]+/.exec(specifier)![0])
        .filter((name) => !Object.hasOwn(manifest.dependencies, name))
        .map((name) => `${path}: ${name} is not among the dependencies`),
    );
    expect(missing).toEqual([]);
  });

  it('keeps the library of schemas out of the page, which takes types alone from the contract', () => {
    const values = files
      .filter(({ path }) => isWithin(path, 'src/dashboard'))
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ specifier, typeOnly }) => !typeOnly && isLocal(specifier))
          .filter(({ specifier }) => isWithin(resolve(path, specifier), 'src/contract'))
          .map(({ specifier }) => `${path} imports more than types from ${specifier}`),
      );
    expect(values).toEqual([]);
  });

  it('carries in its package every dependency, as tested, but the one that has another binary for each machine', () => {
    const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>;
      readonly bundleDependencies: readonly string[];
    };
    const { koffi, ...others } = manifest.dependencies;
    expect(koffi).toBeDefined();
    expect([...manifest.bundleDependencies].sort()).toEqual(Object.keys(others).sort());
  });

  it('compiles the files of threads for its package, which no import names', () => {
    const { files: compiled } = JSON.parse(readFileSync(join(REPOSITORY, 'tsconfig.package.json'), 'utf8')) as {
      readonly files: readonly string[];
    };
    const threads = files
      .filter(({ path }) => path.startsWith('agent/'))
      .filter(({ path }) => readFileSync(join(REPOSITORY, path), 'utf8').includes('new URL(`./thread'))
      .map(({ path }) => posix.join(posix.dirname(path), 'thread.ts'));
    expect(threads.length).toBeGreaterThan(0);
    expect(threads.filter((path) => !compiled.includes(path))).toEqual([]);
  });

  it('has a file for every rule', () => {
    const folders = new Set(files.map(({ path }) => folderOf(path)));
    expect(FOLDER_RULES.map(({ folder }) => folder).filter((folder) => !folders.has(folder))).toEqual([]);
  });
});

describe('the rules', () => {
  const file = (path: string, ...specifiers: string[]): SourceFile => ({
    path,
    imports: specifiers.map((specifier) => ({ specifier, typeOnly: false })),
  });

  it.each([
    ['src/contract/table.ts', '../domain/vni.ts'],
    ['src/domain/vni.ts', '../db/schema.ts'],
    ['src/db/networks.ts', '../routes/networks.ts'],
    ['src/routes/networks.ts', '../hosts/node.ts'],
    ['src/app.ts', './hosts/worker.ts'],
    ['src/hosts/node.ts', '../../agent/main.ts'],
    ['agent/wire/vxlan.ts', '../../src/contract/mac.ts'],
    ['agent/datapath/forwarder.ts', '../ports/tap-port.linux.ts'],
    ['agent/datapath/forwarder.ts', '../sys/libc.linux.ts'],
    ['agent/control/session.ts', '../wire/vxlan.ts'],
    ['agent/control/session.ts', '../datapath/forwarder.ts'],
    ['agent/main.ts', '../src/app.ts'],
    ['agent/main.ts', '../demo/lab.ts'],
    ['src/dashboard/app.tsx', '../domain/vni.ts'],
  ])('keep %s from importing %s', (path, specifier) => {
    expect(brokenFolderRules(file(path, specifier))).toHaveLength(1);
  });

  it.each([
    ['agent/ports/tap-port.linux.ts', 'koffi'],
    ['src/routes/networks.ts', 'drizzle-orm/sqlite-core'],
    ['src/domain/vni.ts', 'hono'],
    ['src/db/client.ts', 'node:sqlite'],
    ['src/contract/table.ts', 'jose'],
    ['agent/datapath/forwarder.ts', 'node:crypto'],
    ['agent/control/client.ts', 'hono/client'],
    ['src/dashboard/api/call.ts', 'node:http'],
    ['src/routes/networks.ts', 'preact'],
  ])('keep %s from importing the package %s', (path, specifier) => {
    expect(brokenPackageRules(file(path, specifier))).toHaveLength(1);
  });

  it('let through what they name', () => {
    const good = [
      file('agent/datapath/forwarder.ts', '../ports/port.ts', '../underlay/underlay.ts', './network.ts'),
      file('src/contract/table.ts', 'valibot', './mac.ts'),
      file('demo/main.ts', '../src/hosts/node.ts', '../agent/wire/icmp.ts', '../agent/main.ts', 'node:path'),
    ];
    expect(good.flatMap((it) => [...brokenFolderRules(it), ...brokenPackageRules(it)])).toEqual([]);
  });

  it('ask for a rule where a folder has none', () => {
    expect(brokenFolderRules(file('elsewhere/a.ts'))).toEqual([expect.stringContaining('is under no rule')]);
  });

  it('see a cycle that goes through three folders', () => {
    const cycle = findCycle([
      file('agent/wire/a.ts', '../sys/b.ts'),
      file('agent/sys/b.ts', '../ports/c.ts'),
      file('agent/ports/c.ts', '../wire/d.ts'),
    ]);
    expect(cycle).toBe('agent/wire → agent/sys → agent/ports → agent/wire');
  });

  it('see every form of import', () => {
    const text = [
      "import a from './a.ts';",
      "import type { B } from './b.ts';",
      "import {\n  c,\n  type D,\n} from './c.ts';",
      "import './d.ts';",
      "export { e } from './e.ts';",
      "export * from './f.ts';",
      "const g = await import('./g.ts');",
      "new Worker(new URL('./h.ts', import.meta.url));",
      "const text = 'from nowhere';",
      "export const plain = 'value';",
    ].join('\n');
    expect(importsOf(text)).toEqual(
      ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => ({ specifier: `./${name}.ts`, typeOnly: name === 'b' })),
    );
  });
});
