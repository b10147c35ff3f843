/** At nine tenths of a limit the gateway says that it comes near. */
const NEAR = 0.9;

export function Meter({ used, limit, label }: { readonly used: number; readonly limit: number; readonly label: string }) {
  const share = limit === 0 ? 1 : Math.min(1, used / limit);
  const tone = share >= 1 ? 'bad' : share >= NEAR ? 'warn' : 'good';
  return (
    <span class="meter" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={limit} aria-valuenow={used}>
      <span class={`fill ${tone}`} style={{ width: `${used === 0 ? 0 : Math.max(1, share * 100)}%` }} />
    </span>
  );
}
