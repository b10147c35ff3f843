import type { Network } from '../../contract/networks.ts';
import { TRANSPORT_MEANINGS, TRANSPORT_WORDS } from '../format/transport.ts';
import { Pill } from './status.tsx';

/** How frames go from site to site. */
export function Transport({ of }: { readonly of: Network['transport'] }) {
  return (
    <Pill tone={of === 'plain' ? 'off' : 'accent'} title={TRANSPORT_MEANINGS[of]}>
      {TRANSPORT_WORDS[of]}
    </Pill>
  );
}
