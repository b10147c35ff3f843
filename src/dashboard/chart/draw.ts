/** The chart itself: uPlot on a canvas, in the page's colours. Loaded when the first chart is shown. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatBits } from '../format/number.ts';
import type { Curves } from './series.ts';

const HEIGHT_PX = 220;
const AXIS_PX = 74;

export interface Drawn {
  readonly update: (curves: Curves) => void;
  readonly destroy: () => void;
}

/** Draws into an element, and follows its width and the page's colours. */
export function draw(element: HTMLElement, curves: Curves): Drawn {
  let chart = make(element, curves);
  let latest = curves;
  const again = (): void => {
    chart.destroy();
    chart = make(element, latest);
  };
  const resized = new ResizeObserver(() => {
    if (element.clientWidth !== chart.width) chart.setSize({ width: element.clientWidth, height: HEIGHT_PX });
  });
  resized.observe(element);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', again);
  const themed = new MutationObserver(again);
  themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return {
    update: (next) => {
      latest = next;
      if (next.series.length === chart.series.length - 1) chart.setData(dataOf(next));
      else again();
    },
    destroy: () => {
      resized.disconnect();
      themed.disconnect();
      dark.removeEventListener('change', again);
      chart.destroy();
    },
  };
}

function make(element: HTMLElement, curves: Curves): uPlot {
  const faint = colourOf(element, '--faint');
  const grid = { stroke: colourOf(element, '--border'), width: 1 };
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  return new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT_PX,
      cursor: { points: { size: 7 }, y: false },
      legend: { live: true },
      scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.15, 1000)] } },
      axes: [
        {
          stroke: faint,
          grid: { show: false },
          ticks: { show: false },
          font,
          size: 32,
          values: (_, splits, __, ___, step) => splits.map((seconds) => formatAxis(seconds, step)),
        },
        {
          stroke: faint,
          grid,
          ticks: { show: false },
          font,
          size: AXIS_PX,
          values: (_, splits) => splits.map(formatBits),
        },
      ],
      series: [
        { value: (_, seconds) => (seconds === null ? '' : formatTick(seconds)) },
        ...curves.series.map(({ label, colour }) => ({
          label,
          stroke: colourOf(element, colour),
          fill: colourOf(element, `${colour}-fill`),
          width: 1.5,
          points: { show: false },
          value: (_: uPlot, value: number | null) => (value === null ? '–' : formatBits(value)),
        })),
      ],
    },
    dataOf(curves),
    element,
  );
}

function dataOf({ times, series }: Curves): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])];
}

const DAY_SECONDS = 86_400;
const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
/** @param step seconds between one label and the next. */
function formatAxis(seconds: number, step: number): string {
  const isMidnight = hour.format(seconds * 1000) === '00:00';
  return (step >= DAY_SECONDS || isMidnight ? day : hour).format(seconds * 1000);
}

const tick = new Intl.DateTimeFormat('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' });
function formatTick(seconds: number): string {
  return tick.format(seconds * 1000);
}

/** What a colour of the styles comes out as here and now. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
