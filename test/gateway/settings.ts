/** How gateways under test are set up: short times, so that tests see their ends. */
export const testSettings = {
  OVERLANE_OPERATOR_KEY: 'the-operator-key-of-the-gateway-tests',
  OVERLANE_VNI_HOLD_SECONDS: '3',
  OVERLANE_TOMBSTONE_SECONDS: '0',
  OVERLANE_OFFLINE_GRACE_SECONDS: '2',
};
