/**
 * Who may import whom, each with its reason. A file is under the rule of the longest folder that holds it, and may always import its
 * own folder. An entry that ends in `.ts` stands for that file alone,
 * one that ends in `/**` for all below a folder.
 */

export interface FolderRule {
  readonly folder: string;
  readonly mayImport: readonly string[];
  readonly because: string;
}

export interface PackageRule {
  readonly packages: RegExp;
  readonly onlyIn: readonly string[];
  readonly because: string;
}

export const FOLDER_RULES: readonly FolderRule[] = [
  {
    folder: 'src/contract',
    mayImport: [],
    because: 'gateway and agent both speak it, so it must drag in nothing of either',
  },
  {
    folder: 'src/domain',
    mayImport: ['src/contract'],
    because: 'rules are functions over plain data, to be tested and simulated without a store or a request',
  },
  {
    folder: 'src/db',
    mayImport: ['src/contract', 'src/domain'],
    because: 'the store answers questions; it knows no request and no host',
  },
  {
    folder: 'src/identity',
    mayImport: ['src/contract', 'src/domain'],
    because: 'who a person is, is for a provider to say: it knows nothing of what they may do here',
  },
  {
    folder: 'src/middleware',
    mayImport: ['src', 'src/contract', 'src/domain', 'src/db'],
    because: 'what every route has in common must not know single routes or the host',
  },
  {
    folder: 'src/routes',
    mayImport: ['src', 'src/contract', 'src/domain', 'src/db', 'src/identity', 'src/middleware'],
    because: 'one app runs on two hosts, so a route must not know on which',
  },
  {
    folder: 'src/hub',
    mayImport: ['src/contract', 'src/domain', 'src/db'],
    because: 'telling is the same on every host, which alone knows what a socket is',
  },
  {
    folder: 'src/hosts',
    mayImport: [
      'src',
      'src/contract',
      'src/domain',
      'src/db',
      'src/hub',
      'src/middleware',
      'src/routes',
      'shared',
      'shared/service',
    ],
    because: 'a host puts the parts of the gateway together, and nothing of the agent is among them',
  },
  {
    folder: 'src/dashboard',
    mayImport: ['src/contract'],
    because: 'the page is one more client of the gateway: all it knows of it is the contract',
  },
  {
    folder: 'src',
    mayImport: ['src/contract', 'src/domain', 'src/db', 'src/middleware', 'src/routes'],
    because: 'the app is the same on every host',
  },
  {
    folder: 'shared',
    mayImport: ['src/contract'],
    because: 'what several programs need, to talk to a gateway and to people and their tools, knows none of them',
  },
  {
    folder: 'shared/service',
    mayImport: ['shared'],
    because: 'how a host starts a program is no matter of what the program does',
  },
  {
    folder: 'agent/wire',
    mayImport: [],
    because: 'a codec is functions over (view, offset): whoever has bytes can use it',
  },
  {
    folder: 'agent/sys',
    mayImport: ['src/contract'],
    because: 'system calls know nothing of what they are made for',
  },
  {
    folder: 'agent/ports',
    mayImport: ['agent/sys', 'agent/wire', 'src/contract'],
    because: 'a port moves frames and does not decide where they go',
  },
  {
    folder: 'agent/underlay',
    mayImport: ['agent/sys', 'agent/wire', 'src/contract'],
    because: 'the underlay moves datagrams and does not decide where they go',
  },
  {
    folder: 'agent/datapath',
    mayImport: ['agent/wire', 'agent/ports/port.ts', 'agent/underlay/underlay.ts', 'src/contract'],
    because: 'forwarding is pure: it meets ports and the underlay as interfaces, so that it runs in memory',
  },
  {
    folder: 'agent/capture',
    mayImport: ['agent/wire', 'agent/datapath/datapath.ts', 'src/contract'],
    because: 'what a captured frame looks like to people and to Wireshark is functions over its bytes',
  },
  {
    folder: 'agent/threads',
    mayImport: ['agent/datapath/datapath-error.ts', 'agent/sys'],
    because: 'how a thread is asked and answers is the same whatever about',
  },
  {
    folder: 'agent/paths',
    mayImport: [
      'agent/datapath/datapath.ts',
      'agent/datapath/probe-inbox.ts',
      'agent/underlay',
      'agent/wire',
      'src/contract',
    ],
    because: 'what a path is like is measured beside the frames, whatever carries them',
  },
  {
    folder: 'agent/userspace',
    mayImport: [
      'agent/datapath',
      'agent/paths',
      'agent/ports',
      'agent/threads',
      'agent/underlay',
      'agent/sys',
      'agent/wire',
      'src/contract',
    ],
    because: 'the data path never sees HTTP, state on disk or the command line',
  },
  {
    folder: 'agent/wireguard',
    mayImport: ['agent/control/merge.ts', 'agent/datapath/datapath.ts', 'agent/sys', 'shared', 'src/contract'],
    because: 'encryption is underneath: it meets frames, the gateway and the disk in none of its files',
  },
  {
    folder: 'agent/kernel',
    mayImport: [
      'agent/datapath/datapath.ts',
      'agent/datapath/datapath-error.ts',
      'agent/datapath/forwarding-rules.ts',
      'agent/datapath/local-stations.ts',
      'agent/datapath/probe-inbox.ts',
      'agent/paths',
      'agent/ports/ownership.ts',
      'agent/threads',
      'agent/underlay/inner-mtu.linux.ts',
      'agent/underlay/udp-socket.linux.ts',
      'agent/sys',
      'agent/wire',
      'src/contract',
    ],
    because: 'the kernel forwards by itself: of our own forwarding it needs nothing but who is heard where',
  },
  {
    folder: 'agent/control',
    mayImport: ['agent/datapath/datapath.ts', 'shared', 'src/contract'],
    because: 'control never sees a packet: it knows the data path by its interface alone',
  },
  {
    folder: 'agent/doctor',
    mayImport: [
      'agent/control',
      'agent/datapath/datapath.ts',
      'agent/kernel/probe.ts',
      'agent/sys',
      'agent/underlay',
      'agent/wire',
      'shared',
      'src/contract',
    ],
    because: 'a check asks the host and the gateway by the same ways as the agent, and changes nothing',
  },
  {
    folder: 'agent/service',
    mayImport: ['shared', 'shared/service'],
    because: 'how a host starts the agent is no matter of what the agent does',
  },
  {
    folder: 'agent/cli',
    mayImport: [
      'agent',
      'agent/capture',
      'agent/control',
      'agent/datapath',
      'agent/doctor',
      'agent/kernel',
      'agent/service',
      'agent/userspace',
      'agent/wireguard',
      'agent/ports',
      'agent/sys',
      'shared',
      'shared/service',
      'src/contract',
    ],
    because: 'the command line puts the agent together, and takes only the contract of the gateway',
  },
  {
    folder: 'agent',
    mayImport: [
      'agent/cli',
      'agent/control',
      'agent/datapath',
      'agent/userspace',
      'agent/sys',
      'shared',
      'src/contract',
    ],
    because: 'the agent takes only the contract of the gateway',
  },
  {
    folder: 'cli',
    mayImport: ['cli/**', 'shared', 'src/contract'],
    because: 'the command line can do what the API can, so all it knows of the gateway is the contract',
  },
  {
    folder: 'cli/commands',
    mayImport: ['cli', 'cli/format', 'shared', 'src/contract'],
    because: 'a command says what to ask for and what to show',
  },
  {
    folder: 'cli/format',
    mayImport: ['shared', 'src/contract', 'cli/settings.ts'],
    because: 'how things look to people is functions over what the API gave',
  },
  {
    folder: 'demo',
    mayImport: ['agent/**', 'src/**'],
    because: 'the demo shows the product, so nothing of the product may need the demo',
  },
];

export const PACKAGE_RULES: readonly PackageRule[] = [
  {
    packages: /^koffi$/,
    onlyIn: ['agent/sys'],
    because: 'only one folder may know that an FFI is behind the system calls',
  },
  {
    packages: /^drizzle-orm(\/|$)/,
    onlyIn: ['src/db'],
    because: 'queries stand in one place, where each can be seen to name the tenant',
  },
  {
    packages: /^(hono|hono-openapi|@hono\/[^/]+)(\/|$)/,
    onlyIn: ['src', 'src/middleware', 'src/routes', 'src/hosts'],
    because:
      'contract, rules and store must not know that they are reached by HTTP, and the agent is no server of ours',
  },
  {
    packages: /^oauth4webapi$/,
    onlyIn: ['src/identity'],
    because: 'the rest of the gateway knows persons, not the protocol that they are known by',
  },
  {
    packages: /^ws$/,
    onlyIn: ['src/hosts', 'agent/control'],
    because: 'a socket is I/O: what is told over it is decided without one',
  },
  {
    packages: /^node:/,
    onlyIn: [
      'src/hosts',
      'agent',
      'agent/cli',
      'agent/control',
      'agent/doctor',
      'agent/kernel',
      'agent/paths',
      'agent/ports',
      'agent/service',
      'agent/sys',
      'agent/threads',
      'agent/underlay',
      'agent/userspace',
      'agent/wireguard',
      'shared',
      'shared/service',
      'cli',
      'demo',
    ],
    because: 'the gateway runs where there is no Node, and what is pure takes clock, randomness and I/O as arguments',
  },
  {
    packages: /^(preact|uplot|d3-force)(\/|$)/,
    onlyIn: ['src/dashboard'],
    because: 'what draws the page is of no use anywhere else',
  },
  {
    packages: /^cloudflare:/,
    onlyIn: ['src/hosts'],
    because: 'the gateway also runs where there is no Cloudflare',
  },
  {
    packages: /^(?!valibot$)/,
    onlyIn: FOLDER_RULES.map(({ folder }) => folder).filter((folder) => folder !== 'src/contract'),
    because: 'every client of the contract gets what the contract imports: one small library for its schemas',
  },
];
