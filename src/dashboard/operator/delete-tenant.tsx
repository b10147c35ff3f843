import type { Tenant } from '../../contract/tenants.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { Confirm } from '../ui/confirm.tsx';
import { say } from '../ui/toast.tsx';

export function DeleteTenant({ tenant, onClose }: { readonly tenant: Tenant; readonly onClose: () => void }) {
  return (
    <Confirm
      title={`Delete ${tenant.name}?`}
      act="Delete the tenant"
      typed={tenant.slug}
      onClose={onClose}
      onConfirm={async () => {
        await call('DELETE', `/v1/tenants/${encodeURIComponent(tenant.slug)}`);
        changed();
        say(`${tenant.name} is deleted.`);
      }}
    >
      <ul>
        <li>All its keys, tokens and sessions end at once.</li>
        <li>It must have no networks, sites or VNI pools left, or the gateway refuses.</li>
        <li>Its events stay until they are too old, and can be asked for by its id.</li>
      </ul>
    </Confirm>
  );
}
