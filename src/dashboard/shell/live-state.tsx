import { type Live, live } from '../api/live.ts';
import { useStore } from '../api/store.ts';
import { Icon } from '../ui/icons.tsx';
import { Pill } from '../ui/status.tsx';
import { Time } from '../ui/time.tsx';

const WORDS = {
  off: ['off', 'Not connected'],
  connecting: ['off', 'Connecting'],
  live: ['good', 'Live'],
  lost: ['bad', 'Disconnected'],
} as const satisfies Record<Live['phase'], readonly ['off' | 'good' | 'bad', string]>;

export function LiveState() {
  const { phase } = useStore(live);
  const [tone, words] = WORDS[phase];
  return (
    <div class="live-state" role="status">
      <Pill tone={tone}>{words}</Pill>
    </div>
  );
}

/** Says that what is shown may be old; it goes when the socket is back and all was asked for anew. */
export function LostBanner() {
  const state = useStore(live);
  if (state.phase !== 'lost') return null;
  return (
    <div class="banner" role="alert">
      <Icon name="alert" />
      <span>
        Disconnected from the gateway: this is how things were <Time at={state.since} />. Sites go on carrying frames.
        Trying again…
      </span>
    </div>
  );
}
