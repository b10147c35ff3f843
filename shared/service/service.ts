/** A program as a service of systemd: what it is called, who it runs as, where it keeps what it knows. */

export interface Service {
  /** Of its unit, and of its user. */
  readonly name: string;
  /** Its folder, which is its user's alone. */
  readonly state: string;
  /** What shows that the folder has what it is for, by a path within it: an answer to whether it may start. */
  readonly begun?: string;
}

export const unitOf = ({ name }: Service): string => `${name}.service`;
/** Where a person's own installation puts the unit, and where a distribution's package does. */
export const unitPath = (service: Service): string => `/etc/systemd/system/${unitOf(service)}`;
export const packagedUnitPath = (service: Service): string => `/usr/lib/systemd/system/${unitOf(service)}`;

/** Folders that our units hide (`ProtectHome`, `PrivateTmp`): a program in one of them would not be found. */
export const HIDDEN_FOLDERS = ['/home', '/root', '/run/user', '/tmp', '/var/tmp'] as const;

/** What no service of ours needs, and so none can do. */
export const HARDENING = `NoNewPrivileges=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
# Not MemoryDenyWriteExecute: V8 compiles JavaScript to machine code.`;

/** A command line as systemd reads it (systemd.service(5)). */
export function commandLine(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

function quoted(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"'\\;]/.test(word) ? `"${escaped}"` : escaped;
}
