import type { Settings } from '../settings.ts';

/** @returns the command that makes a host a site, to be pasted there. */
export function formatJoinCommand({ origin, ca, allowPlainHttp }: Settings, token: string): string {
  return [
    'overlane-agent join',
    `--gateway ${origin}`,
    `--token ${shellWord(token)}`,
    ...(ca === null ? [] : [`--ca ${shellWord(ca.path)}`]),
    ...(allowPlainHttp && origin.startsWith('http:') ? ['--allow-plain-http'] : []),
  ].join(' ');
}

function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
