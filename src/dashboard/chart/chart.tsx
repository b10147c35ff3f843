import { useEffect, useRef } from 'preact/hooks';
import type { Drawn } from './draw.ts';
import { type Curves, describeCurves } from './series.ts';

/** Curves over time. Its place is there before its code is. */
export function Chart({ curves }: { readonly curves: Curves }) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | null>(null);
  const latest = useRef(curves);
  latest.current = curves;
  useEffect(() => {
    let isGone = false;
    void import('./draw.ts').then(({ draw }) => {
      if (!isGone && box.current !== null) drawn.current = draw(box.current, latest.current);
    });
    return () => {
      isGone = true;
      drawn.current?.destroy();
      drawn.current = null;
    };
  }, []);
  useEffect(() => drawn.current?.update(curves), [curves]);
  return <div ref={box} class="chart" role="img" aria-label={describeCurves(curves)} />;
}
