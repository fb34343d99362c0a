// Small helpers over the DOM; nothing here knows what the page is about.

export const $ = (id) => document.getElementById(id);

/** An element with properties, data attributes (`data`) and children. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  const { data, ...rest } = properties;
  Object.assign(element, rest);
  Object.assign(element.dataset, data ?? {});
  element.append(...children);
  return element;
}

/** Sets text only where it changed, so that a busy page lays out little. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Keeps one child for each item, by key: what has the focus keeps it. */
export function rows(parent, items, key, create, update) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let row = old.get(name);
    if (row) old.delete(name);
    else {
      row = create(item);
      row.dataset.key = name;
    }
    if (row === place) place = place.nextElementSibling;
    else parent.insertBefore(row, place);
    update?.(row, item);
  }
  old.forEach((row) => row.remove());
}

/** Says something to people who do not see the page change. */
export function announce(text) {
  $("announcer").textContent = text;
}

/** Shows what came of an action, under its form. */
export function answer(element, text, good) {
  element.textContent = text;
  element.className = `answer ${good ? "good" : "bad"}`;
}

/** At most one run of `draw` in each frame, however often it is asked for. */
export function onceAFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

const SVG = "http://www.w3.org/2000/svg";

/** Draws numbers as a line over a pale area; the viewBox says how large. */
export function spark(svg, values, fromZero = true) {
  const { width, height } = svg.viewBox.baseVal;
  if (!svg.firstChild) svg.append(document.createElementNS(SVG, "path"), document.createElementNS(SVG, "path"));
  const [area, line] = svg.children;
  area.setAttribute("class", "area");
  const least = fromZero ? 0 : Math.min(...values);
  const span = Math.max(...values) - least || 1;
  const y = (value) => (height - 2 - ((value - least) / span) * (height - 4)).toFixed(1);
  const step = width / Math.max(values.length - 1, 1);
  const points = values.map((value, index) => `${(index * step).toFixed(1)},${y(value)}`);
  line.setAttribute("d", points.length > 1 ? `M${points.join("L")}` : "");
  area.setAttribute("d", points.length > 1 ? `M0,${height}L${points.join("L")}L${width},${height}Z` : "");
}

export function sparkline(className = "spark") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("viewBox", "0 0 120 24");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

export function duration(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function bytes(count) {
  if (count < 1000) return `${Math.round(count)} B`;
  if (count < 1e6) return `${(count / 1e3).toFixed(1)} kB`;
  return `${(count / 1e6).toFixed(1)} MB`;
}

export const whole = (count) => Math.round(count).toLocaleString("en-US");
