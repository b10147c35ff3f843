const exact = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'medium',
});
const zone = new Intl.DateTimeFormat('en', { timeZoneName: 'short' })
  .formatToParts(0)
  .find(({ type }) => type === 'timeZoneName')?.value;

/** @returns `24 Nov 2026, 05:12:09 UTC`, in the browser's time zone. */
export function formatExact(time: string | number): string {
  return `${exact.format(new Date(time))} ${zone ?? ''}`.trim();
}

/** @returns `just now`, `3 min ago`, `in 2 h`, `9 days ago`: in the largest unit that says enough. */
export function formatRelative(time: string | number, now: number): string {
  const seconds = Math.round((new Date(time).getTime() - now) / 1000);
  const span = formatSpan(Math.abs(seconds));
  if (Math.abs(seconds) < 5) return 'just now';
  return seconds > 0 ? `in ${span}` : `${span} ago`;
}

/** @returns `8 s`, `3 min`, `5 h`, `9 days`. */
export function formatSpan(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}
