/** Where sites and networks stand on the map: networks are hubs, and a site stands near those it carries. */
import {
  forceCollide,
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type SimulationLinkDatum,
  type SimulationNodeDatum,
} from 'd3-force';

export interface MapNode {
  readonly id: string;
  readonly kind: 'site' | 'network';
  /** How many it is linked with. */
  readonly degree: number;
}

export interface MapLink {
  readonly from: string;
  readonly to: string;
}

export interface Place {
  readonly x: number;
  readonly y: number;
}

interface Body extends SimulationNodeDatum {
  readonly id: string;
  readonly kind: MapNode['kind'];
  readonly degree: number;
}

/** Beyond so many nodes, they are drawn small and stand close. */
export const MANY_NODES = 90;

/**
 * @param before where things stood: what is still there stays about there.
 * @returns a place for each node; the same for the same input.
 */
export function layOut(
  nodes: readonly MapNode[],
  links: readonly MapLink[],
  before: ReadonlyMap<string, Place>,
): Map<string, Place> {
  const isDense = nodes.length > MANY_NODES;
  const spread = isDense ? 1 : 2.6;
  const known = nodes.filter(({ id }) => before.has(id)).length;
  const isKnown = known > nodes.length / 2;
  const bodies: Body[] = nodes.map((node) => ({
    ...node,
    ...(isKnown ? (before.get(node.id) ?? beside(node.id, links, before)) : undefined),
  }));
  const simulation = forceSimulation(bodies)
    .force(
      'link',
      forceLink<Body, SimulationLinkDatum<Body>>(links.map(({ from, to }) => ({ source: from, target: to })))
        .id(({ id }) => id)
        .distance(({ target }) => spread * (34 + 5 * Math.sqrt((target as Body).degree)))
        .strength(({ source }) => 0.9 / Math.max(1, (source as Body).degree)),
    )
    .force(
      'charge',
      forceManyBody<Body>()
        .strength(({ kind, degree }) => -spread * (kind === 'network' ? 120 + 14 * degree : 26))
        .distanceMax(900),
    )
    .force(
      'collide',
      forceCollide<Body>(({ kind }) => spread * (kind === 'network' ? 26 : isDense ? 8 : 20)).iterations(2),
    )
    .force('x', forceX<Body>(0).strength(0.035))
    .force('y', forceY<Body>(0).strength(0.06))
    .stop();
  simulation.alpha(isKnown ? 0.12 : 1);
  simulation.tick(isKnown ? 30 : isDense ? 220 : 300);
  return new Map(bodies.map(({ id, x = 0, y = 0 }) => [id, { x, y }]));
}

/** A newcomer begins at what it is linked with; in no place where that is new as well. */
function beside(id: string, links: readonly MapLink[], before: ReadonlyMap<string, Place>): Place | undefined {
  for (const { from, to } of links) {
    const near = from === id ? before.get(to) : to === id ? before.get(from) : undefined;
    // Never right on it, where no force would know which way to push.
    if (near !== undefined) return { x: near.x + 30, y: near.y + 20 };
  }
  return undefined;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}
export type Frame = Place & Size;

const MAX_SCALE = 1.15;

/** @returns the rectangle that holds all of them, with a margin, in the proportions of the window (in pixels) that it is shown in. */
export function frameOf(places: Iterable<Place>, { width: across, height: down }: Size, margin = 64): Frame {
  const all = [...places];
  const aspect = across / down;
  if (all.length === 0) return { x: -across / 2, y: -down / 2, width: across, height: down };
  const xs = all.map(({ x }) => x);
  const ys = all.map(({ y }) => y);
  const [left, top] = [Math.min(...xs) - margin, Math.min(...ys) - margin];
  const [width, height] = [Math.max(...xs) + margin - left, Math.max(...ys) + margin - top];
  // Never closer than this, or three sites would fill the screen.
  const shownWidth = Math.max(width, height * aspect, across / MAX_SCALE);
  const shownHeight = shownWidth / aspect;
  return {
    x: left - (shownWidth - width) / 2,
    y: top - (shownHeight - height) / 2,
    width: shownWidth,
    height: shownHeight,
  };
}
