/** The tenant that the page is about, and what whoever is signed in may do there. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Topology } from '../../contract/topology.ts';
import { type Query, useQuery } from './query.ts';

export interface Tenant {
  readonly slug: string;
  readonly mayWrite: boolean;
  readonly isOperator: boolean;
  /** @returns the API's path of something of this tenant. */
  readonly api: (...parts: readonly string[]) => string;
  /** @returns the page's path of something of this tenant. */
  readonly page: (...parts: readonly string[]) => string;
}

export const TenantContext = createContext<Tenant | null>(null);

export function tenantOf(slug: string, role: 'operator' | 'admin' | 'viewer'): Tenant {
  const join = (root: string, parts: readonly string[]) => [root, ...parts.map(encodeURIComponent)].join('/');
  return {
    slug,
    mayWrite: role !== 'viewer',
    isOperator: role === 'operator',
    api: (...parts) => join(`/v1/tenants/${encodeURIComponent(slug)}`, parts),
    page: (...parts) => join(`/t/${encodeURIComponent(slug)}`, parts),
  };
}

export function useTenant(): Tenant {
  const tenant = useContext(TenantContext);
  if (tenant === null) throw new Error('this page is about a tenant');
  return tenant;
}

/** All sites and networks, and who carries what: one answer that most pages draw from. */
export function useTopology(): Query<Topology> {
  return useQuery<Topology>(useTenant().api('topology'));
}
