/** Panning and zooming: which part of the map is in the window. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Frame } from './layout.ts';

const STEP = 1.35;
/** A press that moved less than this is a click. */
const DRAG_PX = 4;

export interface FrameControl {
  readonly frame: Frame;
  readonly zoom: (by: 'in' | 'out') => void;
  readonly fit: () => void;
  readonly wasDragged: () => boolean;
}

/** @param whole what holds all of the map: shown until somebody moves. */
export function useFrame(whole: Frame, svg: { readonly current: SVGSVGElement | null }): FrameControl {
  const [chosen, choose] = useState<Frame | null>(null);
  const frame = chosen ?? whole;
  const latest = useRef(frame);
  latest.current = frame;
  const dragged = useRef(false);

  const scale = useCallback((factor: number, px = 0.5, py = 0.5) => {
    const { x, y, width, height } = latest.current;
    const [nextWidth, nextHeight] = [width * factor, height * factor];
    choose({
      x: x + (width - nextWidth) * px,
      y: y + (height - nextHeight) * py,
      width: nextWidth,
      height: nextHeight,
    });
  }, []);

  useEffect(() => {
    const element = svg.current;
    if (element === null) return undefined;
    const wheel = (event: WheelEvent): void => {
      // Plain scrolling moves the page; with Ctrl, or by pinching, it zooms.
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const box = element.getBoundingClientRect();
      scale(
        Math.exp(event.deltaY * 0.004),
        (event.clientX - box.left) / box.width,
        (event.clientY - box.top) / box.height,
      );
    };
    const press = (down: PointerEvent): void => {
      if (down.button !== 0) return;
      const from = latest.current;
      const perPx = from.width / element.clientWidth;
      dragged.current = false;
      const move = (event: PointerEvent): void => {
        const [dx, dy] = [event.clientX - down.clientX, event.clientY - down.clientY];
        if (Math.hypot(dx, dy) < DRAG_PX && !dragged.current) return;
        dragged.current = true;
        choose({ ...from, x: from.x - dx * perPx, y: from.y - dy * perPx });
      };
      const up = (): void => {
        removeEventListener('pointermove', move);
        removeEventListener('pointerup', up);
        removeEventListener('pointercancel', up);
      };
      addEventListener('pointermove', move);
      addEventListener('pointerup', up);
      addEventListener('pointercancel', up);
    };
    element.addEventListener('wheel', wheel, { passive: false });
    element.addEventListener('pointerdown', press);
    return () => {
      element.removeEventListener('wheel', wheel);
      element.removeEventListener('pointerdown', press);
    };
  }, [svg, scale]);

  return {
    frame,
    zoom: (by) => scale(by === 'in' ? 1 / STEP : STEP),
    fit: () => choose(null),
    wasDragged: () => dragged.current,
  };
}
