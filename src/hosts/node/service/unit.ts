/** The gateway's unit: it serves, and it writes to its own folder. */
import { commandLine, HARDENING, type Service } from '../../../../shared/service/service.ts';

export const GATEWAY_SERVICE: Service = { name: 'overlane-gateway', state: '/var/lib/overlane-gateway' };

/**
 * The text of the unit file.
 * @param program what runs the gateway: absolute paths.
 */
export function unitText(program: readonly string[]): string {
  const { name, state } = GATEWAY_SERVICE;
  return `[Unit]
Description=Overlane gateway: keeps VNIs, sites and their tables, and tells agents of changes
Wants=network-online.target
After=network-online.target
# However long the trouble lasts, it is tried again.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${commandLine(program)}
Environment=OVERLANE_DATA=${state}
# Settings, as \`overlane-gateway --help\` names them: HOST=0.0.0.0, OVERLANE_TLS_CERT=…
EnvironmentFile=-/etc/default/${name}
Restart=always
RestartSec=2
TimeoutStopSec=15

User=${name}
Group=${name}
StateDirectory=${name}
StateDirectoryMode=0700
UMask=0077
# A PORT below 1024 needs CAP_NET_BIND_SERVICE in both lines.
CapabilityBoundingSet=
AmbientCapabilities=
PrivateDevices=yes
DevicePolicy=closed
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
${HARDENING}

[Install]
WantedBy=multi-user.target
`;
}
