// Adds to shown exchanges what static HTML cannot do: search, kinds, pages and copy buttons. The page shows nothing of a
// widget: this only looks for outputs that carry the kernel's mark, so what is saved stays plain HTML and reads the same.

const ATTRIBUTE = "data-poe-inspect";
const TYPING_MS = 200;
const COPIED_MS = 2000;
const ROWS = 200;
const SEARCH = "the search field"; // a place of the keyboard, beside those of folds

export default () => ({
  initialize({ model }) {
    const page = new Page(model);
    return () => page.end();
  },
});

class Page {
  tables = new Map(); // by mark, so that an output that is drawn anew keeps its search
  folds = new Map(); // likewise: what is unfolded and folded in it, and where the keyboard is

  constructor(model) {
    this.model = model;
    this.token = model.get("token");
    this.hear = (message) => this.tables.get(message.mark)?.take(message);
    model.on("msg:custom", this.hear);
    this.observer = new MutationObserver(() => this.lookSoon());
    this.observer.observe(document.body, { childList: true, subtree: true });
    document.addEventListener("focusin", this.follow);
    document.addEventListener("pointerdown", this.leave, true);
    this.look();
  }

  end() {
    this.observer.disconnect();
    document.removeEventListener("focusin", this.follow);
    document.removeEventListener("pointerdown", this.leave, true);
    this.model.off("msg:custom", this.hear);
    for (const added of document.querySelectorAll(`[${ATTRIBUTE}^="${this.token}:"] .poe-inspect-added`)) added.remove();
  }

  follow = ({ target }) => this.folds.forEach((folds) => folds.follow(target));
  leave = () => this.folds.forEach((folds) => folds.leave());

  lookSoon() {
    this.soon ??= requestAnimationFrame(() => {
      this.soon = undefined;
      this.look();
    });
  }

  look() {
    for (const root of document.querySelectorAll(`[${ATTRIBUTE}^="${this.token}:"]`)) {
      if (root.poeSeen) continue;
      root.poeSeen = true;
      for (const listing of root.querySelectorAll("pre.poe-block-listing")) if (isWorthCopying(listing)) addCopy(listing);
      const mark = root.getAttribute(ATTRIBUTE);
      if (!this.folds.has(mark)) this.folds.set(mark, new Folds());
      this.folds.get(mark).attach(root);
      const table = root.querySelector("table.poe-block-table[aria-label='Events'], table.poe-block-table[aria-label='Exchanges']");
      if (!table) continue;
      const rows = this.tables.get(mark) ?? new Rows(mark, this.folds.get(mark), (request) => this.model.send(request));
      this.tables.set(mark, rows);
      rows.attach(table);
    }
  }
}

// What somebody has folded or unfolded in one output, and what the keyboard is on, by where it stands, so that it is so
// again in the next drawing.
class Folds {
  changed = new Map();

  attach(root) {
    this.root = root;
    root.addEventListener("toggle", ({ target }) => this.changed.set(this.placeOf(target), target.open), true);
    this.restore(root);
  }

  // Focus that was lost because its element was drawn anew is to come back; nothing else moves what it is on.
  follow(target) {
    const isKept = this.root.contains(target) && target.matches("summary, [type=search]");
    if (isKept) Object.assign(this, { holder: target, focused: target.matches("summary") ? this.placeOf(target.parentElement) : SEARCH });
    else if (this.holder?.isConnected) this.leave();
  }

  leave() {
    this.focused = undefined;
  }

  restore(within) {
    for (const details of within.querySelectorAll("details")) {
      const place = this.placeOf(details);
      if (this.changed.has(place)) details.open = this.changed.get(place);
      if (place === this.focused) details.firstElementChild.focus({ preventScroll: true });
    }
  }

  placeOf(details) {
    const names = [];
    for (let at = details; at !== this.root && at !== null; at = at.parentElement) {
      if (at.matches("tr")) names.push(at.cells[0].textContent);
      else if (at.matches("td")) names.push(at.cellIndex);
      else if (at.matches("details") && !at.closest("td")) names.push(nameOf(at));
    }
    return names.join(" / ");
  }
}

// The name of a section or fold, without the numbers that change while an answer comes.
function nameOf(details) {
  const summary = details.querySelector("summary");
  return (summary.querySelector("h1, h2, h3, h4, h5, h6, [role=heading]") ?? summary).textContent.replace(/[\d.,]+/g, "");
}

// One table: what is asked of it, and the controls above it.
class Rows {
  words = "";
  kinds = new Set();
  first = 0;
  seq = 0;

  constructor(mark, folds, send) {
    this.mark = mark;
    this.folds = folds;
    this.send = send;
  }

  attach(table) {
    this.table = table;
    this.column = [...table.tHead.rows[0].cells].findIndex((cell) => ["type", "outcome"].includes(cell.textContent));
    this.counts ??= this.countShown();
    this.total ??= table.tBodies[0].rows.length;
    this.tools = element("div", { class: "poe-inspect-tools poe-inspect-added", role: "search", "data-lm-suppress-shortcuts": "true" });
    this.search = element("input", { type: "search", placeholder: "search", "aria-label": `Search ${table.ariaLabel}` });
    this.search.value = this.words;
    this.search.addEventListener("input", () => {
      this.words = this.search.value;
      this.narrow(TYPING_MS);
    });
    this.chips = element("span", { class: "poe-inspect-kinds", role: "group", "aria-label": "Kinds to show" });
    this.said = element("output", { class: "poe-muted", "aria-live": "polite" });
    this.pages = element("span", { class: "poe-inspect-pages" });
    this.tools.append(this.search, this.chips, this.said, this.pages);
    table.before(this.tools);
    if (this.folds.focused === SEARCH) this.search.focus({ preventScroll: true }); // the output was drawn anew under somebody's hands
    this.draw();
    if (this.words || this.kinds.size || this.first) this.narrow(0);
    else this.ask();
  }

  // Hides at once what does not fit among the rows that are here, and asks the kernel for the rest.
  narrow(wait) {
    this.first = 0;
    const words = this.words.toLowerCase();
    let shown = 0;
    for (const row of this.table.tBodies[0].rows) {
      const fits = (!this.kinds.size || this.kinds.has(this.kindOf(row))) && row.textContent.toLowerCase().includes(words);
      row.hidden = !fits;
      shown += fits;
    }
    this.said.textContent = `${shown} shown`;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), wait);
  }

  ask() {
    this.seq += 1;
    this.send({ kind: "rows", mark: this.mark, seq: this.seq, first: this.first, words: this.words, kinds: [...this.kinds] });
  }

  take({ seq, html, first, total, counts }) {
    if (seq !== this.seq) return;
    Object.assign(this, { first, total, counts });
    const isNarrow = this.words || this.kinds.size || first || this.isNarrowed;
    if (isNarrow) this.replace(html);
    this.isNarrowed = Boolean(isNarrow);
    this.draw();
  }

  replace(html) {
    const table = document.createRange().createContextualFragment(html).firstElementChild;
    for (let after = this.table.nextElementSibling; after; after = after.nextElementSibling) after.hidden = true;
    this.table.replaceWith(table);
    this.table = table;
    this.folds.restore(table);
  }

  draw() {
    const focused = document.activeElement?.dataset?.poeKind;
    this.chips.replaceChildren(...Object.entries(this.counts).map(([kind, count]) => this.chip(kind, count)));
    if (focused) [...this.chips.children].find((chip) => chip.dataset.poeKind === focused)?.focus();
    const last = Math.min(this.first + ROWS, this.total);
    const isWhole = this.total <= ROWS;
    this.said.textContent = isWhole ? rowsOf(this.total) : `${grouped(this.first + 1)} to ${grouped(last)} of ${rowsOf(this.total)}`;
    const turn = (words, first, isThere) => {
      const button = element("button", { type: "button" }, words);
      button.disabled = !isThere;
      button.addEventListener("click", () => {
        this.first = first;
        this.ask();
      });
      return button;
    };
    this.pages.replaceChildren(
      ...(isWhole ? [] : [turn("earlier", Math.max(this.first - ROWS, 0), this.first > 0), turn("later", last, last < this.total)]),
    );
  }

  chip(kind, count) {
    const chip = element("button", { type: "button", "aria-pressed": String(this.kinds.has(kind)), "data-poe-kind": kind }, `${kind} ${grouped(count)}`);
    chip.addEventListener("click", () => {
      if (!this.kinds.delete(kind)) this.kinds.add(kind);
      chip.setAttribute("aria-pressed", String(this.kinds.has(kind)));
      this.narrow(0);
    });
    return chip;
  }

  kindOf(row) {
    return row.cells[this.column]?.textContent ?? "";
  }

  countShown() {
    const counts = {};
    for (const row of this.table.tBodies[0].rows) counts[this.kindOf(row)] = (counts[this.kindOf(row)] ?? 0) + 1;
    return counts;
  }
}

function addCopy(listing) {
  const button = element("button", { type: "button", class: "poe-inspect-copy poe-inspect-added" }, "Copy");
  button.addEventListener("click", async () => {
    await copy(listing);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), COPIED_MS);
  });
  const frame = element("div", { class: "poe-inspect-copied" });
  listing.replaceWith(frame);
  frame.append(listing, button);
}

function isWorthCopying(listing) {
  return listing.textContent.includes("\n") || listing.textContent.length > 100;
}

async function copy(listing) {
  try {
    await navigator.clipboard.writeText(listing.textContent);
  } catch {
    getSelection().selectAllChildren(listing); // without leave to write there, or without a secure address
    document.execCommand("copy");
  }
}

function rowsOf(count) {
  return count === 1 ? "1 row" : `${grouped(count)} rows`;
}

function grouped(count) {
  return count.toLocaleString("en");
}

function element(name, attributes, text = "") {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}
