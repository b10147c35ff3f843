/** Events as sentences: who did what, with the names that people know. */
import type { Event, EventKind } from '../../contract/events.ts';
import type { Health } from './health.ts';

type Picture = Readonly<Record<string, unknown>>;

/** @returns the name that goes with an id now; undefined where it is gone. */
export type NameOf = (id: string) => string | undefined;

interface Telling {
  /** What the filter calls it. */
  readonly label: string;
  readonly tone: Health;
  /** Follows on who did it: `made network blue`. */
  readonly says: (of: Told) => string;
}

interface Told {
  readonly subject: string;
  readonly before: Picture;
  readonly after: Picture;
  readonly nameOf: NameOf;
  /** What did it did it to itself. */
  readonly isOwn: boolean;
}

const name = ({ subject, before, after, nameOf }: Told): string =>
  text(after.name) ?? text(before.name) ?? nameOf(subject) ?? subject;
const network = ({ before, after, nameOf }: Told): string => {
  const id = text(after.network) ?? text(before.network) ?? '';
  return nameOf(id) ?? (after.vni === undefined && before.vni === undefined ? id : `VNI ${after.vni ?? before.vni}`);
};
const vni = ({ before, after }: Told): string => {
  const number = after.vni ?? before.vni;
  return number === undefined ? '' : ` (VNI ${number})`;
};
const siteOf = (value: unknown, { nameOf }: Told): string => {
  const id = text(value) ?? '';
  return nameOf(id) ?? id;
};
const person = ({ subject, before, after }: Told): string =>
  text(after.email) ?? text(before.email) ?? text(after.subject) ?? text(before.subject) ?? subject;

export const EVENTS: Readonly<Record<EventKind, Telling>> = {
  tenant_created: { label: 'Tenant made', tone: 'off', says: (of) => `made the tenant ${name(of)}` },
  tenant_changed: { label: 'Tenant changed', tone: 'off', says: (of) => `changed the tenant ${name(of)}${fields(of)}` },
  tenant_deleted: { label: 'Tenant deleted', tone: 'warn', says: (of) => `deleted the tenant ${name(of)}` },
  api_key_created: { label: 'Key made', tone: 'off', says: (of) => `made the ${of.after.role ?? ''} key ${name(of)}` },
  api_key_rotated: { label: 'Key rotated', tone: 'off', says: (of) => `rotated the key ${name(of)}` },
  api_key_deleted: { label: 'Key revoked', tone: 'warn', says: (of) => `revoked the key ${name(of)}` },
  vni_pool_created: { label: 'Pool made', tone: 'off', says: (of) => `made the VNI pool ${name(of)}` },
  vni_pool_deleted: { label: 'Pool deleted', tone: 'warn', says: (of) => `deleted the VNI pool ${name(of)}` },
  vni_released: { label: 'VNI released', tone: 'off', says: (of) => `released VNI ${of.subject} from its rest` },
  network_created: { label: 'Network made', tone: 'good', says: (of) => `made the network ${name(of)}${vni(of)}` },
  network_changed: {
    label: 'Network changed',
    tone: 'off',
    says: (of) => `changed the network ${name(of)}${fields(of)}`,
  },
  network_deleted: {
    label: 'Network deleted',
    tone: 'warn',
    says: (of) => `deleted the network ${name(of)}${vni(of)}`,
  },
  join_token_created: { label: 'Token made', tone: 'off', says: (of) => `made the join token ${name(of)}` },
  join_token_deleted: { label: 'Token revoked', tone: 'warn', says: (of) => `revoked the join token ${name(of)}` },
  site_created: { label: 'Site made', tone: 'good', says: (of) => `made the static site ${name(of)}` },
  site_enrolled: { label: 'Site joined', tone: 'good', says: (of) => `joined as the site ${name(of)}` },
  site_changed: { label: 'Site changed', tone: 'off', says: (of) => `changed the site ${name(of)}${fields(of)}` },
  site_deleted: { label: 'Site removed', tone: 'warn', says: (of) => `removed the site ${name(of)}` },
  site_key_rotated: { label: 'Site key rotated', tone: 'off', says: (of) => `gave the site ${name(of)} another key` },
  site_wireguard_changed: {
    label: 'Encryption key',
    tone: 'off',
    says: (of) =>
      of.isOwn ? 'said where and by which key it is encrypted to' : `changed how ${name(of)} is encrypted to`,
  },
  site_attached: {
    label: 'Attached',
    tone: 'good',
    says: (of) => `attached ${of.isOwn ? 'itself' : name(of)} to ${network(of)}`,
  },
  site_detached: { label: 'Detached', tone: 'warn', says: (of) => `detached ${name(of)} from ${network(of)}` },
  mac_set: { label: 'MAC set', tone: 'off', says: (of) => `set ${of.subject} at ${siteOf(of.after.site, of)}` },
  mac_deleted: { label: 'MAC deleted', tone: 'off', says: (of) => `took ${of.subject} out of the table` },
  mac_moved: {
    label: 'MAC moved',
    tone: 'off',
    says: (of) => `saw ${of.subject} move from ${siteOf(of.before.site, of)} to ${siteOf(of.after.site, of)}`,
  },
  mac_frozen: { label: 'MAC frozen', tone: 'bad', says: (of) => `froze ${of.subject}: it moved too often` },
  mac_unfrozen: { label: 'MAC unfrozen', tone: 'good', says: (of) => `let ${of.subject} move again` },
  removal_held: {
    label: 'Removal held',
    tone: 'warn',
    says: (of) => `held back the removal of most peers at ${name(of)}`,
  },
  site_online: { label: 'Site online', tone: 'good', says: (of) => `saw ${name(of)} come online` },
  site_offline: { label: 'Site offline', tone: 'bad', says: (of) => `lost sight of ${name(of)}` },
  quota_near: { label: 'Quota near', tone: 'warn', says: (of) => `saw the limit of ${of.subject} come near` },
  session_created: { label: 'Signed in', tone: 'off', says: () => 'signed in to the dashboard' },
  session_ended: { label: 'Signed out', tone: 'off', says: () => 'ended a session' },
  member_created: { label: 'Member added', tone: 'good', says: (of) => `added the member ${person(of)}` },
  member_changed: {
    label: 'Member changed',
    tone: 'off',
    says: (of) => `changed the member ${person(of)}${fields(of)}`,
  },
  member_deleted: { label: 'Member removed', tone: 'warn', says: (of) => `removed the member ${person(of)}` },
};

/** @returns who did it and what, as one sentence without a full stop. */
export function describeEvent(event: Event, nameOf: NameOf): { readonly who: string; readonly what: string } {
  const { subject, actor } = event;
  const told = {
    subject,
    before: picture(event.before),
    after: picture(event.after),
    nameOf,
    isOwn: actor.id === subject,
  };
  const telling = EVENTS[event.kind] as Telling | undefined;
  return { who: whoOf(event), what: telling?.says(told) ?? `${event.kind.replaceAll('_', ' ')} ${event.subject}` };
}

function whoOf({ actor }: Event): string {
  if (actor.name !== undefined) return actor.name;
  switch (actor.kind) {
    case 'operator':
      return 'The operator';
    case 'system':
      return 'The gateway';
    default:
      return actor.id ?? actor.kind;
  }
}

/** The fields that changed: `: mtu, description`. */
function fields({ before, after }: Told): string {
  const changed = Object.keys(after).filter((field) => JSON.stringify(after[field]) !== JSON.stringify(before[field]));
  return changed.length === 0 ? '' : `: ${changed.join(', ')}`;
}

function picture(value: unknown): Picture {
  return typeof value === 'object' && value !== null ? (value as Picture) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
