/** Whether a network's counters add up: every frame that came went, or was dropped for one reason. */

/** Dropped before it counted as received, or after it counted as sent. */
const OUTSIDE = new Set([
  ...['dropUnlistedVtep', 'dropInnerVlan', 'dropSpoofedSource', 'dropCongested'],
  ...['dropUnderlayBusy', 'dropUnreachable'],
]);

/** @returns how many frames are missing, and the sum in words. */
export function gapOf(counters: Readonly<Record<string, number>>): { readonly gap: number; readonly text: string } {
  const of = (...names: string[]): number => names.reduce((sum, name) => sum + (counters[name] ?? 0), 0);
  const came = of('portRxFrames', 'vtepRxFrames');
  const more = of('copiedFrames', 'cutFrames', 'tooBigAnswered');
  const went = of('portTxFrames', 'vtepTxFrames');
  const merged = of('mergedFrames');
  const drops = Object.entries(counters).filter(([name, count]) => name.startsWith('drop') && count > 0);
  const dropped = drops.reduce((sum, [name, count]) => sum + (OUTSIDE.has(name) ? 0 : count), 0);
  const named = drops.map(([name, count]) => `${name} ${count}`).join(', ') || 'none dropped';
  return {
    gap: came + more - went - merged - dropped,
    text: `${came} came and became ${more} more, ${went} went, ${merged} merged; ${named}`,
  };
}
