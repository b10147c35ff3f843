/** @returns a host's name made fit for a site's: what is not allowed becomes a hyphen, and the ends are letters or digits. */
export function siteNameFrom(hostname: string): string {
  const name = hostname
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 63)
    .replace(/^[._-]+|[._-]+$/g, '');
  return name === '' ? 'site' : name;
}
