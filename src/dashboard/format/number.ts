const whole = new Intl.NumberFormat('en');

/** @returns `12,400`. */
export function formatCount(count: number): string {
  return whole.format(Math.round(count));
}

/** @returns `one site`'s form by count: `1 site`, `12,400 sites`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** @param bits a second. @returns `0`, `830 bit/s`, `4.7 Gbit/s`. */
export function formatBits(bits: number): string {
  return bits < 0.5 ? '0' : `${scaled(bits, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'])}`;
}

/** The same of what may not be known at the moment: a dash then. */
export function formatRate(bits: number | undefined): string {
  return bits === undefined ? '–' : formatBits(bits);
}

/** @returns `0 B`, `1.2 MB`: decimal, as link speeds are. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']);
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let unit = 0;
  let rest = value;
  while (rest >= step - 0.5 && unit < units.length - 1) {
    rest /= step;
    unit++;
  }
  const digits = unit === 0 || rest >= 100 ? 0 : rest >= 10 ? 1 : 2;
  return `${rest.toFixed(digits)} ${units[unit]}`;
}
