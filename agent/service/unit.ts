/** The systemd unit: what the agent may do on its host, and nothing else. */

import { commandLine, HARDENING, type Service } from '../../shared/service/service.ts';

export const AGENT_SERVICE: Service = { name: 'overlane-agent', state: '/var/lib/overlane-agent', begun: 'agent.json' };

/**
 * The text of the unit file.
 * @param program what runs the agent: absolute paths, without `run` and its flags.
 */
export function unitText(program: readonly string[]): string {
  const { name, state, begun } = AGENT_SERVICE;
  return `[Unit]
Description=Overlane agent: carries tenants' layer-2 networks between sites in VXLAN
Wants=network-online.target
After=network-online.target
# Not before this host has joined: overlane-agent join
ConditionPathExists=${state}/${begun}
# However long the trouble lasts, it is tried again.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=${commandLine([...program, 'run', '--state', state])} $OVERLANE_AGENT_FLAGS
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
# A stop removes what the agent made. A restart (an upgrade, say) leaves it: the kernel forwards on, interfaces keep their addresses.
RestartKillSignal=SIGUSR2
# It ends its own children.
KillMode=mixed

User=${name}
Group=${name}
StateDirectory=${name}
StateDirectoryMode=0700
UMask=0077
# Where wireguard-go has its sockets, and that of others perhaps.
RuntimeDirectory=wireguard
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
# Interfaces, routes to them and large socket buffers. A VTEP port below 1024 needs CAP_NET_BIND_SERVICE too, in both lines.
CapabilityBoundingSet=CAP_NET_ADMIN
AmbientCapabilities=CAP_NET_ADMIN
# Not PrivateDevices: that would hide /dev/net/tun.
DevicePolicy=closed
DeviceAllow=/dev/net/tun rw
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
${HARDENING}
# What carries everybody's traffic is the last to go when memory is short.
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
`;
}
