import type { ComponentChildren } from 'preact';
import type { Health } from '../format/health.ts';

/** A word with the colour that goes with it: never a colour alone. */
export function Pill({
  tone,
  children,
  title,
}: {
  tone: Health | 'accent';
  children: ComponentChildren;
  title?: string;
}) {
  return (
    <span class={`pill ${tone}`} title={title}>
      <span class="dot" aria-hidden="true" />
      {children}
    </span>
  );
}

export function Dot({ tone }: { readonly tone: Health }) {
  return <span class={`dot ${tone}`} aria-hidden="true" />;
}

/** How many of how many are in step, as a bar of that many parts. */
export function StepBar({ inStep, asked }: { readonly inStep: number; readonly asked: number }) {
  if (asked === 0) return <span class="faint">–</span>;
  const tone = inStep === asked ? 'good' : inStep === 0 ? 'bad' : 'warn';
  return (
    <span class="step-bar">
      <span class="track" aria-hidden="true">
        <span class={`fill ${tone}`} style={{ width: `${(100 * inStep) / asked}%` }} />
      </span>
      <span class="figure">
        {inStep} of {asked}
      </span>
    </span>
  );
}
