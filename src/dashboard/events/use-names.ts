import { useMemo } from 'preact/hooks';
import { useTopology } from '../api/tenant.tsx';
import type { NameOf } from '../format/event.ts';

/** Names of the sites and networks that are there, by id. */
export function useNames(): NameOf {
  const { data } = useTopology();
  return useMemo(() => {
    const names = new Map([...(data?.sites ?? []), ...(data?.networks ?? [])].map(({ id, name }) => [id, name]));
    return (id) => names.get(id);
  }, [data]);
}
