/** The systemd unit: what the agent may do on its host, and nothing else. */

export const SERVICE = 'overlane-agent.service';
export const SERVICE_USER = 'overlane-agent';
export const SERVICE_STATE = '/var/lib/overlane-agent';

/** Where a person's own installation puts the unit, and where a distribution's package does. */
export const UNIT_PATH = `/etc/systemd/system/${SERVICE}`;
export const PACKAGED_UNIT_PATH = `/usr/lib/systemd/system/${SERVICE}`;

/** Folders that the unit hides from the agent (`ProtectHome`, `PrivateTmp`): a program in one of them would not be found. */
export const HIDDEN_FOLDERS = ['/home', '/root', '/run/user', '/tmp', '/var/tmp'] as const;

/**
 * The text of the unit file.
 * @param program what runs the agent: absolute paths, without `run` and its flags.
 */
export function unitText(program: readonly string[]): string {
  return `[Unit]
Description=Overlane agent: carries tenants' layer-2 networks between sites in VXLAN
Wants=network-online.target
After=network-online.target
# Not before this host has joined: overlane-agent join
ConditionPathExists=${SERVICE_STATE}/agent.json
# However long the trouble lasts, it is tried again.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=${[...program.map(quoted), 'run', '--state', SERVICE_STATE].join(' ')} $OVERLANE_AGENT_FLAGS
ExecReload=/bin/kill -HUP $MAINPID
# Flags for \`run\`, for whoever wants some: OVERLANE_AGENT_FLAGS="--metrics 127.0.0.1:9469 --log-level warn"
EnvironmentFile=-/etc/default/overlane-agent
Restart=always
RestartSec=2
# The configuration is wrong: starting again would not mend it.
RestartPreventExitStatus=2
# It is the data path's thread that must answer.
WatchdogSec=30
TimeoutStopSec=15

User=${SERVICE_USER}
Group=${SERVICE_USER}
StateDirectory=overlane-agent
StateDirectoryMode=0700
UMask=0077
# Where wireguard-go has its sockets, and that of others perhaps.
RuntimeDirectory=wireguard
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
# Interfaces, routes to them and large socket buffers. A VTEP port below 1024 needs CAP_NET_BIND_SERVICE too, in both lines.
CapabilityBoundingSet=CAP_NET_ADMIN
AmbientCapabilities=CAP_NET_ADMIN
NoNewPrivileges=yes
# Not PrivateDevices: that would hide /dev/net/tun.
DevicePolicy=closed
DeviceAllow=/dev/net/tun rw
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
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
# Not MemoryDenyWriteExecute: V8 compiles JavaScript to machine code.
# What carries everybody's traffic is the last to go when memory is short.
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
`;
}

/** A word of a command line as systemd reads it (systemd.service(5)). */
function quoted(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"'\\;]/.test(word) ? `"${escaped}"` : escaped;
}
