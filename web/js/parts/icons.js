// Line icons, 24 × 24, drawn for this page. They only decorate: the text beside them, or the label around them, says it.
import { html } from "../html.js";

const PATHS = {
  stores: "M4 10v9h16v-9M3 10l2-5h14l2 5M3 10a3 3 0 0 0 6 0 3 3 0 0 0 6 0 3 3 0 0 0 6 0M10 19v-5h4v5",
  imports: "M12 4v11M8 8l4-4 4 4M5 15v4h14v-4",
  search: "M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12M15.5 15.5 20 20",
  edit: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5",
  moon: "M19 14.5A8 8 0 0 1 9.5 5 7.5 7.5 0 1 0 19 14.5z",
  out: "M10 5H5v14h5M14 8l4 4-4 4M18 12H9",
  back: "M14 6l-6 6 6 6",
  close: "M6 6l12 12M18 6 6 18",
  up: "M7 14l5-5 5 5",
  down: "M7 10l5 5 5-5",
  alert: "M12 4 3 19h18zM12 10v4M12 16.5v.5",
  ok: "M5 12.5l4.5 4.5L19 7.5",
  download: "M12 4v11M8 11l4 4 4-4M5 19h14",
  file: "M7 3h7l4 4v14H7zM14 3v4h4M10 12h5M10 16h5",
  offline: "M4 4l16 16M8.5 14.5a5 5 0 0 1 7 0M5 11a10 10 0 0 1 4-2.4M19 11a10 10 0 0 0-5-2.8M12 18h.01",
  cart: "M3 5h2.5l2 10h10l2-7H6.3M9 18.5a1 1 0 1 0 0 2 1 1 0 0 0 0-2M16 18.5a1 1 0 1 0 0 2 1 1 0 0 0 0-2",
  shop: "M6 9h12l1 11H5zM9 9V7a3 3 0 0 1 6 0v2",
  tag: "M4 12V5a1 1 0 0 1 1-1h7l8 8-8 8zM8.5 8.5h.01",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M5 20a7 7 0 0 1 14 0",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M9 9h.01",
  next: "M10 6l6 6-6 6",
  star: "M12 4l2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z",
  box: "M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8",
};

export const Icon = ({ name }) => html`
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>
`;

/** Almacén's mark: boxes on two shelves, one of them running low. */
export const Logo = () => html`
  <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect class="logo-ground" width="32" height="32" rx="8" />
    <g class="logo-lines">
      <rect x="7" y="7" width="7" height="6" rx="1.5" />
      <rect class="logo-low" x="17" y="8.5" width="5" height="4.5" rx="1.3" />
      <rect x="6" y="14" width="20" height="2" rx="1" />
      <rect x="10" y="18" width="5" height="5" rx="1.3" />
      <rect x="18" y="17" width="7" height="6" rx="1.5" />
      <rect x="6" y="24" width="20" height="2" rx="1" />
    </g>
  </svg>
`;
