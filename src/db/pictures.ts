/** What things look like in an event: as JSON objects, made by SQL from the rows as they are at that point of the batch. No secrets. */
import { type SQL, sql } from 'drizzle-orm';

export function pictureOfTenant(tenantId: string): SQL {
  return sql`(SELECT json_object('slug', slug, 'name', name, 'limits', json_object('networks', limit_networks,
    'sites', limit_sites, 'macsPerNetwork', limit_macs_per_network), 'transport', transport) FROM tenants WHERE id = ${tenantId})`;
}

export function pictureOfApiKey(tenantId: string, id: string): SQL {
  return sql`(SELECT json_object('name', name, 'role', role, 'expiresAt', ${time(sql`expires_at`)})
    FROM api_keys WHERE tenant_id = ${tenantId} AND id = ${id})`;
}

export function pictureOfNetwork(tenantId: string, id: string): SQL {
  return sql`(SELECT json_object('name', name, 'vni', vni, 'mtu', mtu, 'subnet', subnet, 'description', description,
    'antiSpoof', anti_spoof, 'arpSuppression', ${bool(sql`arp_suppression`)}, 'flood', flood, 'multicastGroup', multicast_group, 'transport', transport)
    FROM networks WHERE tenant_id = ${tenantId} AND id = ${id})`;
}

export function pictureOfJoinToken(tenantId: string, id: string): SQL {
  return sql`(SELECT json_object('name', name, 'maxUses', max_uses, 'uses', uses, 'expiresAt', ${time(sql`expires_at`)},
    'networks', json(networks), 'labels', json(labels)) FROM join_tokens WHERE tenant_id = ${tenantId} AND id = ${id})`;
}

export function pictureOfSite(tenantId: string, id: string): SQL {
  return sql`(SELECT json_object('name', name, 'kind', kind, 'publicKey', public_key,
    'vtep', json_object('address', vtep_address, 'port', vtep_port), 'disabled', ${bool(sql`disabled`)},
    'labels', json(labels), 'where', place, 'wireguard', json(wireguard)) FROM sites WHERE tenant_id = ${tenantId} AND id = ${id})`;
}

/** Null where the site isn't attached. */
export function pictureOfAttachment(tenantId: string, networkId: string, siteId: string): SQL {
  return sql`(SELECT json_object('network', network_id, 'vni', vni, 'port', json(port)) FROM attachments
    WHERE tenant_id = ${tenantId} AND network_id = ${networkId} AND site_id = ${siteId} AND state <> 'gone')`;
}

export function pictureOfPool(id: string): SQL {
  return sql`(SELECT json_object('name', p.name, 'first', p.first, 'last', p.last, 'tenant', t.slug)
    FROM vni_pools p LEFT JOIN tenants t ON t.id = p.tenant_id WHERE p.id = ${id})`;
}

function bool(value: SQL): SQL {
  return sql`json(iif(${value}, 'true', 'false'))`;
}

function time(milliseconds: SQL): SQL {
  return sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${milliseconds} / 1000.0, 'unixepoch')`;
}
