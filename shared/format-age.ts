/**
 * @param time RFC 3339
 * @param now milliseconds since 1970
 * @returns how long ago it was, in its largest unit: `5 s`, `3 min`, `2 h`, `9 days`.
 */
export function formatAge(time: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}
