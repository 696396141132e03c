// Elements, built and never parsed: the page's policy (trusted types) forbids every way from text to markup, so whatever a
// provider writes into a product's name stays text. Deliberately absent: innerHTML, style attributes, inline handlers.

const VECTOR = "http://www.w3.org/2000/svg";

/// An element. `props`: `class`, `on` (event → function), properties (`value`, `disabled` …) and attributes (`aria-…`, `data-…`).
/// Children: elements, texts, numbers, lists of them; nothing (`null`, `undefined`, `false`, "") is left out.
export function el(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") element.className = value;
    else if (key === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (key === "value" || key === "checked" || key === "disabled" || key === "hidden" || key === "htmlFor") element[key] = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...kept(children));
  return element;
}

function kept(children) {
  return children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false && child !== "")
    .map((child) => (typeof child === "number" || typeof child === "bigint" ? String(child) : child));
}

/// Puts these in the place of whatever is in there.
export function fill(element, ...children) {
  element.replaceChildren(...kept(children));
}

/// Sets a text, and touches nothing if it is that already: a screen reader speaks what is touched.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/// A button. Clicks that come while it is disabled, or twice, are for the act behind it to bear.
export function button(label, act, props = {}) {
  const { icon: name, ...rest } = props;
  const click = act && ((event) => isBusy(event.currentTarget) || act(event));
  return el("button", { type: "button", class: "button", on: click ? { click } : {}, ...rest }, name && icon(name), el("span", {}, label));
}

/// Whether a button's act is on its way: it does nothing, and keeps the focus, which a disabled one would lose.
const isBusy = (made) => made.getAttribute("aria-disabled") === "true";
export const busy = (is) => ({ "aria-disabled": is ? "true" : undefined });
export function setBusy(made, is) {
  if (is) made.setAttribute("aria-disabled", "true");
  else made.removeAttribute("aria-disabled");
}

const ICONS = {
  done: ["M4 12.5l5 5L20 6.5"],
  stop: ["M12 3 2.5 20h19z", "M12 10v4.5", "M12 17.3v.2"],
  wait: ["M12 3a9 9 0 1 0 9 9", "M12 7v5l3 2"],
  back: ["M14.5 5 8 12l6.5 7"],
  print: ["M7 9V4h10v5", "M7 17H4V9h16v8h-3", "M7 14h10v6H7z"],
  scan: ["M4 7V4h3", "M17 4h3v3", "M20 17v3h-3", "M7 20H4v-3", "M8 8v8", "M12 8v8", "M16 8v8"],
  line: ["M5 12a10 10 0 0 1 14 0", "M8 15.5a6 6 0 0 1 8 0", "M12 19v.2"],
  clock: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18", "M12 7v5l3.5 2"],
  cash: ["M3 6.5h18v11H3z", "M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5"],
  card: ["M3 6h18v12H3z", "M3 10.5h18"],
  both: ["M2.500 5h13v8h-13z", "M2.500 8h13", "M8.500 16v3h13v-8H18.500", "M15 15a1.500 1.500 0 1 0 .1 0"],
  gift: ["M4 11h16v9H4z", "M3 7.5h18V11H3z", "M12 7.5V20", "M12 7.5C9 7.5 7 6 8.3 4.6S12 5 12 7.5c0-2.5 2.4-4.3 3.7-2.9S15 7.5 12 7.5"],
  person: ["M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8", "M4.5 20c.8-3.6 3.7-5 7.5-5s6.700 1.400 7.500 5"],
  remove: ["M6 6l12 12", "M18 6 6 18"],
  erase: ["M9 6h11v12H9l-6-6z", "M12.500 9.500l5 5", "M17.500 9.500l-5 5"],
  find: ["M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13", "M15.500 15.500 20 20"],
  next: ["M9.500 5l6.500 7-6.500 7"],
  book: ["M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3z", "M5 17a3 3 0 0 1 3-3h11", "M9 8h6"],
  day: ["M4 6h16v14H4z", "M4 10.500h16", "M8.500 3.500V7", "M15.500 3.500V7"],
  leave: ["M14 4H5v16h9", "M10 12h10", "M16.500 8.500 20 12l-3.500 3.500"],
  counter: ["M3 9h18", "M5 9V4h14v5", "M5 9v11h14V9", "M9 14h6"],
  attention: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18", "M12 7.500v6", "M12 16.500v.2"],
};

/// An element of a drawing, with its attributes.
export function drawing(name, attributes, ...children) {
  const element = document.createElementNS(VECTOR, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...kept(children));
  return element;
}

/// A line drawing beside words; it says nothing that the words do not.
export const icon = (name) => drawing("svg", { viewBox: "0 0 24 24", class: `icon icon-${name}`, "aria-hidden": "true", focusable: "false" },
  (ICONS[name] ?? []).map((d) => drawing("path", { d })));
