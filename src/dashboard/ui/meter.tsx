/** At nine tenths of a limit the gateway says that it comes near. */
const NEAR = 0.9;

/** How much of a limit is used, as a bar and in percent. */
export function Meter({ used, limit }: { readonly used: number; readonly limit: number }) {
  const share = limit === 0 ? 1 : Math.min(1, used / limit);
  const tone = share >= 1 ? 'bad' : share >= NEAR ? 'warn' : 'good';
  return (
    <span class="step-bar">
      <span class="meter" aria-hidden="true">
        <span class={`fill ${tone}`} style={{ width: `${used === 0 ? 0 : Math.max(1, share * 100)}%` }} />
      </span>
      <span class="figure faint">{Math.floor(share * 100)} %</span>
    </span>
  );
}
