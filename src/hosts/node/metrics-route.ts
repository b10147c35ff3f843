/** `GET /metrics`, for the operator's Prometheus: on this host alone, since a Worker's isolates each know only their own part. */
import type { Hono } from 'hono';
import { formatMetric, type Metric } from '../../../shared/prometheus.ts';
import { MAX_PAGE } from '../../contract/pages.ts';
import { readFigures } from '../../db/figures.ts';
import { listPools, type VniPoolRow } from '../../db/vni-pools.ts';
import type { AppEnv, Gateway } from '../../gateway.ts';
import { accessTo } from '../../middleware/access.ts';
import type { RequestFigures } from './metrics.ts';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';

export interface ProcessFigures {
  readonly requests: RequestFigures;
  /** How many agents hold a socket. */
  readonly sockets: () => number;
}

export function addMetrics(app: Hono<AppEnv>, gateway: Gateway, { requests, sockets }: ProcessFigures): void {
  const { db, now } = gateway;
  app.get('/metrics', accessTo(gateway).operator, async (c) => {
    const [figures, pools] = await Promise.all([readFigures(db, now()), listPools(db, { limit: MAX_PAGE, after: '' })]);
    const { agentSites, onlineSites, staticSites, disabledSites } = figures;
    const gauges = [
      gauge('overlane_tenants', 'Tenants.', figures.tenants),
      gauge('overlane_networks', 'Networks, each with a VNI allocated.', figures.networks),
      gauge('overlane_macs', 'Entries of the MAC/IP tables.', figures.macs),
      labelled('overlane_sites', 'Sites, by how they stand.', [
        [{ status: 'online' }, onlineSites],
        [{ status: 'offline' }, agentSites - onlineSites],
        [{ status: 'static' }, staticSites],
        [{ status: 'disabled' }, disabledSites],
      ]),
      gauge('overlane_sockets', 'Agents that hold a WebSocket.', sockets()),
      labelled('overlane_vnis', 'VNIs of each pool, by how they stand.', pools.items.flatMap(samplesOf)),
      gauge('process_resident_memory_bytes', 'Resident memory.', process.memoryUsage.rss()),
      gauge('process_start_time_seconds', 'When the process began.', Math.floor(Date.now() / 1000 - process.uptime())),
    ];
    const { user, system } = process.cpuUsage();
    const cpu: Metric = {
      name: 'process_cpu_seconds_total',
      help: 'Processor time.',
      type: 'counter',
      samples: [[{}, (user + system) / 1e6]],
    };
    return c.body(requests.text() + [...gauges, cpu].map(formatMetric).join(''), 200, { 'content-type': TEXT });
  });
}

function samplesOf({ name: pool, size, free, quarantined }: VniPoolRow): Metric['samples'] {
  return [
    [{ pool, state: 'free' }, free],
    [{ pool, state: 'used' }, size - free - quarantined],
    [{ pool, state: 'quarantined' }, quarantined],
  ];
}

function gauge(name: string, help: string, value: number): Metric {
  return labelled(name, help, [[{}, value]]);
}

function labelled(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, help, type: 'gauge', samples };
}
