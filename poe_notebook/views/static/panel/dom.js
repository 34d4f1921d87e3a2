// Small pieces of a page. Words go in as text; the only HTML that is ever inserted is what the kernel has cleaned.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  send: ["M12 19V5", "M5.5 11.5 12 5l6.5 6.5"],
  stop: ["M7 7h10v10H7z"],
  plus: ["M12 5v14", "M5 12h14"],
  kernel: ["M8 4.5c-2.4 0-2.4 1.6-2.4 3.2S5.600 11 3.800 12c1.800 1 1.800 2.600 1.800 4.300s0 3.200 2.400 3.200", "M16 4.500c2.400 0 2.400 1.600 2.400 3.200s0 3.300 1.800 4.300c-1.800 1-1.800 2.600-1.800 4.300s0 3.200-2.400 3.200"],
  options: ["M4 7h9", "M17 7h3", "M4 17h3", "M11 17h9", "M15 5v4", "M9 15v4"],
  copy: ["M9 9h10v10H9z", "M15 9V5H5v10h4"],
  done: ["M5 12.5 10 17.500 19 7"],
  retry: ["M19 12a7 7 0 1 1-2.100-5", "M19.500 3.500v4h-4"],
  edit: ["M4 20h4L19.500 8.500l-4-4L4 16z"],
  like: ["M7 11v9H4v-9z", "M7 12l4-8c1.700 0 2.600 1.200 2.300 2.800L12.700 10h5.600c1.300 0 2 1 1.800 2.200l-1.100 6c-.2 1.100-1 1.800-2.100 1.800H7"],
  dislike: ["M7 13V4H4v9z", "M7 12l4 8c1.700 0 2.600-1.200 2.300-2.800L12.700 14h5.600c1.300 0 2-1 1.800-2.200l-1.100-6C18.800 4.700 18 4 16.900 4H7"],
  heart: ["M12 19.500C5 15 4 11.500 4 9.300 4 6.900 5.800 5 8.100 5c1.600 0 3 .9 3.900 2.300C12.900 5.900 14.300 5 15.900 5 18.200 5 20 6.900 20 9.300c0 2.200-1 5.700-8 10.200z"],
  react: ["M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17z", "M8.500 14c1 1.500 2.100 2.200 3.500 2.200s2.500-.7 3.500-2.200", "M9 9.500v.2", "M15 9.500v.2"],
  laughing: ["M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17z", "M8 13h8c-.4 2.400-1.900 3.600-4 3.600S8.400 15.400 8 13z", "M8 10l1-1.200L10 10", "M14 10l1-1.200 1 1.200"],
  surprised: ["M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17z", "M12 13.300a1.900 1.900 0 1 0 0 3.800 1.900 1.900 0 0 0 0-3.800z", "M9 9.300v.4", "M15 9.300v.4"],
  sad: ["M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17z", "M8.500 16.300c1-1.500 2.100-2.200 3.500-2.200s2.500.7 3.500 2.200", "M9 9.500v.2", "M15 9.500v.2"],
  download: ["M12 4v11", "M7.500 11 12 15.500 16.500 11", "M5 19.500h14"],
  fresh: ["M11 5H5v14h14v-6", "M18 3.500 20.500 6 13 13.500l-3 .5.5-3z"],
  close: ["M6 6l12 12", "M18 6 6 18"],
  down: ["M6 9.500l6 6 6-6"],
  file: ["M7 3.500h7l4 4v13H7z", "M14 3.500v4h4"],
};

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "poe-icon", "aria-hidden": "true" }))
    svg.setAttribute(key, value);
  for (const d of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

function iconButton(name, label, onclick, properties = {}) {
  return make("button", { type: "button", class: "poe-icon-button", "aria-label": label, title: label, onclick, ...properties }, icon(name));
}

// A button for what only the kernel can do.
function askButton(name, label, onclick, properties = {}) {
  return iconButton(name, label, onclick, { ...properties, "data-asks": label });
}

// Spells out what would turn the reading direction, or is not to be seen, as views/wording.py does.
function visible(text) {
  return text.replace(/[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (c) => {
    const code = c.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}

// A button that opens a small menu of others. Escape and a click elsewhere close it; arrows move in it.
function menuButton(button, label, items) {
  const menu = make("div", { class: "poe-menu", role: "group", "aria-label": label, hidden: true }, ...items);
  const root = make("div", { class: "poe-menu-root" }, button, menu);
  const open = (isOpen) => {
    menu.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) items[0].focus();
  };
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => open(menu.hidden));
  menu.addEventListener("click", () => { open(false); button.focus(); });
  root.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape" && !menu.hidden) {
      open(false);
      button.focus();
    } else if (step && !menu.hidden) {
      const at = items.indexOf(document.activeElement);
      items[(at + step + items.length) % items.length].focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  root.addEventListener("focusout", (event) => !root.contains(event.relatedTarget) && open(false));
  return root;
}

// Keeps the front end's shortcuts away from what has the focus: in JupyterLab's command mode the arrows, Enter and letters
// are commands of the notebook, and it looks for this mark from the focused element upwards.
function ownKeys(event) {
  event.target.setAttribute("data-lm-suppress-shortcuts", "true");
}

// Breaks the line in a field of several. JupyterLab 4.6 prevents the browser's own way of it in all cells, outputs included.
function breakLine(event) {
  if (event.key !== "Enter" || event.defaultPrevented || event.isComposing || !event.target.matches("textarea")) return;
  event.preventDefault();
  if (document.execCommand("insertText", false, "\n")) return;
  event.target.setRangeText("\n", event.target.selectionStart, event.target.selectionEnd, "end");
  event.target.dispatchEvent(new Event("input"));
}

function sizeWords(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 999500 ? `${(bytes / 1e3).toPrecision(3)} kB` : `${(bytes / 1e6).toPrecision(3)} MB`;
}
