/** @returns `10.0.0.1:4789`, `[2001:db8::1]:4789` or `*:4789`. */
export function formatVtep({ address, port }: { readonly address: string | null; readonly port: number }): string {
  return address?.includes(':') ? `[${address}]:${port}` : `${address ?? '*'}:${port}`;
}
