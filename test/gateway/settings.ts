import { fileURLToPath } from 'node:url';

/** A page in the dashboard's place. */
export const DASHBOARD = fileURLToPath(new URL('../fixtures/dashboard', import.meta.url));

export type Settings = Readonly<Record<string, string>> & { readonly OVERLANE_OPERATOR_KEY: string };

/** How gateways under test are set up: short times, so that tests see their ends. */
export const testSettings: Settings & { readonly OVERLANE_VNI_HOLD_SECONDS: string } = {
  OVERLANE_OPERATOR_KEY: 'the-operator-key-of-the-gateway-tests',
  OVERLANE_VNI_HOLD_SECONDS: '3',
  OVERLANE_TOMBSTONE_SECONDS: '0',
  OVERLANE_OFFLINE_GRACE_SECONDS: '2',
};
