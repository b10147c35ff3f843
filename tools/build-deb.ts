/**
 * `npm run build:deb`: a Debian package for machines like this one, by `dpkg-deb` alone. It is what `npm pack` makes, with the two parts
 * that npm would fetch for this kind of machine, koffi and Node itself, since Debian's own Node may be too old.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AGENT_SERVICE, unitText as agentUnitText } from '../agent/service/unit.ts';
import { packagedUnitPath } from '../shared/service/service.ts';
import { GATEWAY_SERVICE, unitText as gatewayUnitText } from '../src/hosts/node/service/unit.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const HOME = '/usr/lib/overlane';
const NODE = `${HOME}/bin/node`;
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

interface Manifest {
  readonly version: string;
  readonly author: string;
  readonly description: string;
  readonly bin: Readonly<Record<string, string>>;
}

export interface DebOptions {
  /** What `npm pack` made. */
  readonly tarball: string;
  /** The folder that the package goes to. */
  readonly into: string;
  /** As `dpkg-deb -Z` has it. */
  readonly compression: 'none' | 'xz';
}

/** @returns the path of the package. @throws Error where a tool is missing or fails. */
export function buildDeb({ tarball, into, compression }: DebOptions): string {
  const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as Manifest;
  const { version, bin } = manifest;
  const architecture = ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new Error(`there is no Debian package for ${process.arch}`);
  const root = mkdtempSync(join(tmpdir(), 'overlane-deb-'));
  try {
    chmodSync(root, 0o755);
    const home = join(root, HOME);
    mkdirSync(home, { recursive: true });
    run('tar', '--extract', '--file', tarball, '--directory', home, '--strip-components=1');
    for (const name of ['koffi', `@koromix/koffi-linux-${process.arch}`]) copyModule(name, join(home, 'node_modules'));
    copyNode(home);
    for (const [command, path] of Object.entries(bin)) writeCommand(root, command, path);
    for (const [service, unitText] of [
      [AGENT_SERVICE, agentUnitText],
      [GATEWAY_SERVICE, gatewayUnitText],
    ] as const) {
      write(join(root, packagedUnitPath(service)), unitText([NODE, `${HOME}/${bin[service.name]}`]));
    }
    writeDocumentation(root, home);
    write(join(root, 'DEBIAN/control'), control(manifest, architecture));
    for (const script of ['postinst', 'prerm', 'postrm']) {
      write(join(root, 'DEBIAN', script), readFileSync(join(REPOSITORY, 'tools/deb', script), 'utf8'), 0o755);
    }
    mkdirSync(into, { recursive: true });
    const file = join(into, `overlane_${version}_${architecture}.deb`);
    run('dpkg-deb', `-Z${compression}`, '--root-owner-group', '--build', root, file);
    return file;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Debian asks for an address of the maintainer's; where the authors give none it is one that nobody can have (RFC 2606). */
function control({ version, author, description }: Manifest, architecture: string): string {
  const maintainer = author.includes('@') ? author : `${author} <nobody@overlane.invalid>`;
  return `Package: overlane
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Section: net
Priority: optional
Depends: libc6 (>= 2.28), libstdc++6 (>= 6), libgcc-s1, libatomic1, passwd
Suggests: wireguard-go
Description: ${description}
 The agent of a site (overlane-agent) and the gateway on one machine
 (overlane-gateway), both with a service of systemd, and the command line
 (overlane).
`;
}

function copyModule(name: string, into: string): void {
  cpSync(join(REPOSITORY, 'node_modules', name), join(into, name), { recursive: true });
}

function copyNode(home: string): void {
  const node = join(REPOSITORY, 'node_modules', `node-linux-${process.arch}`);
  mkdirSync(join(home, 'bin'));
  cpSync(join(node, 'bin/node'), join(home, 'bin/node'));
  cpSync(join(node, 'LICENSE'), join(home, 'bin/LICENSE'));
}

function writeCommand(root: string, command: string, path: string): void {
  write(join(root, 'usr/bin', command), `#!/bin/sh\nexec ${NODE} ${HOME}/${path} "$@"\n`, 0o755);
}

function writeDocumentation(root: string, home: string): void {
  const folder = join(root, 'usr/share/doc/overlane');
  for (const name of ['README.md', 'CHANGELOG.md']) write(join(folder, name), readFileSync(join(home, name), 'utf8'));
  write(join(folder, 'copyright'), readFileSync(join(REPOSITORY, 'tools/deb/copyright'), 'utf8'));
  cpSync(join(REPOSITORY, 'docs'), join(folder, 'docs'), {
    recursive: true,
    filter: (path) => !path.includes('images'),
  });
}

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode });
}

function run(program: string, ...argv: readonly string[]): void {
  const { status, error } = spawnSync(program, argv, { cwd: REPOSITORY, stdio: ['ignore', 'ignore', 'inherit'] });
  if (error !== undefined) throw new Error(`${program} can't be run: ${error.message}`);
  if (status !== 0) throw new Error(`${program} ${argv.join(' ')} ended with code ${status}`);
}

if (import.meta.main) {
  const folder = mkdtempSync(join(tmpdir(), 'overlane-'));
  try {
    run('npm', 'pack', '--silent', '--pack-destination', folder);
    const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as Manifest;
    const tarball = join(folder, `overlane-${version}.tgz`);
    console.log(buildDeb({ tarball, into: join(REPOSITORY, 'dist'), compression: 'xz' }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
