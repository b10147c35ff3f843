/** Icons: 16 by 16 strokes in the colour of the text around them. They say nothing that words beside them don't. */
const PATHS = {
  overview: 'M2.5 8.5 8 3l5.5 5.5M4 7.5V13h8V7.5',
  map: 'M4 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM12 7.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM6 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM5.4 4.5l5.2 1.1M11.2 7.2 6.9 11M4.4 5.4l1.2 5.2',
  network: 'M2.5 5h11M2.5 11h11M5 5c3 0 3 6 6 6',
  site: 'M3 13.5v-11h6v11M9 6.5h4v7M1.5 13.5h13M5 5.5h2M5 8h2M5 10.5h2',
  token: 'M6 10.5a3.5 3.5 0 1 1 2.9-1.5l4.6 4.5v-2.5M11 11.2l-1.4 1.3M5 6.5h.01',
  key: 'M10.5 9a3.5 3.5 0 1 0-3.3-2.3L2.5 11.4V13.5h2.3v-1.6h1.6v-1.6h1.1l.7-.8M11 5h.01',
  events: 'M3 3.5h10M3 8h10M3 12.5h6',
  usage: 'M3 13.5v-5M8 13.5v-11M13 13.5V6',
  tenants:
    'M6 7.5a2.3 2.3 0 1 0 0-4.5 2.3 2.3 0 0 0 0 4.5ZM1.8 13.2c.3-2.4 2-3.7 4.2-3.7s3.9 1.3 4.2 3.7M10.5 3.3a2.2 2.2 0 0 1 0 4M11.8 9.8c1.4.5 2.2 1.6 2.4 3.4',
  pools:
    'M2 5c0-1.4 2.7-2.5 6-2.5S14 3.6 14 5s-2.7 2.5-6 2.5S2 6.4 2 5ZM2 5v6c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5V5M2 8c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5',
  vnis: 'M2.5 2.5h11v11h-11zM2.5 6.2h11M2.5 9.8h11M6.2 2.5v11M9.8 2.5v11',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3l3.2 3.2',
  plus: 'M8 3v10M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  check: 'M3 8.5 6.5 12 13 4.5',
  copy: 'M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1',
  download: 'M8 2.5v7.5M4.8 7 8 10.2 11.2 7M3 13.5h10',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  moon: 'M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5Z',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9',
  auto: 'M2.5 3h11v7.5h-11zM6 13.5h4',
  alert: 'M8 2.5 14.5 13.5h-13L8 2.5ZM8 6.5v3.2M8 11.6h.01',
  arrow: 'M6 3.5 10.5 8 6 12.5',
  down: 'M3.5 6 8 10.5 12.5 6',
  out: 'M6.5 13.5h-4v-11h4M10.5 11 13.5 8l-3-3M13.5 8h-7.5',
  fit: 'M2.5 5.5v-3h3M10.5 2.5h3v3M13.5 10.5v3h-3M5.5 13.5h-3v-3',
  minus: 'M3 8h10',
  keyboard: 'M1.5 4h13v8h-13zM4 6.5h.01M6.7 6.5h.01M9.3 6.5h.01M12 6.5h.01M4.5 9.5h7',
  book: 'M8 4.2C6.5 3 4.5 2.7 2.5 3v9.5c2-.3 4 0 5.5 1.2 1.5-1.2 3.5-1.5 5.5-1.2V3c-2-.3-4 0-5.5 1.2ZM8 4.2v9.5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <g class="lanes">
        <path d="M8 11.5h16" />
        <path d="M8 20.5h16" class="lower" />
        <path d="M11 11.5c5 0 5 9 10 9" />
      </g>
      <circle cx="8" cy="11.5" r="2.6" />
      <circle cx="24" cy="20.5" r="2.6" />
    </svg>
  );
}
