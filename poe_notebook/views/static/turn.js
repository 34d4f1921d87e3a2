// Shows one answer while it comes. The kernel sends clean HTML, block by block; blocks that did not change are left alone,
// so that a selection in them stays. Nothing is fetched, and no HTML is made here from what a bot wrote.
// Comes after page.js, in one module.

const END = { done: "answer finished", failed: "answer failed", stopped: "answer stopped" };
const SAY_EVERY_MS = 4000; // a screen reader needs about that long for two sentences
const SAY_CHARS = 400;
const KEPT = ["open", "tabindex", "role", "aria-label", SHORTCUTS]; // set by the reader or by page.js

export default () => {
  const turn = new Turn();
  return {
    initialize({ model }) {
      turn.ask = () => model.send({ kind: "sync" });
      turn.load(model.get("start"));
      model.on("msg:custom", (message, buffers) => turn.take(message, buffers));
      return () => turn.end();
    },
    render({ model, el }) {
      const view = new View(el, model.get("frame"), turn);
      return () => view.close();
    },
  };
};

// Puts bytes back that came beside a message.
function unpack(value, buffers) {
  if (!buffers?.length || !value || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  if (Number.isInteger(value.buffer)) return buffers[value.buffer];
  if (Array.isArray(value)) return value.map((each) => unpack(each, buffers));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unpack(each, buffers)]));
}

// What the kernel has said so far, kept apart from any view: a cell's output can be shown twice, or not at all yet.
class Turn {
  views = new Set();
  parts = new Map(); // the blocks of each response, by its index
  media = new Map(); // the address of each file
  trusted = null; // after a lost message: the blocks that came whole since then
  seq = -1;
  asked = -Infinity;

  load(state) {
    if (state.seq < this.seq) return;
    const parts = new Map(state.parts.map(([index, blocks]) => [index, [...blocks]]));
    Object.assign(this, { seq: state.seq, parts, before: state.before, after: state.after, trusted: null });
    for (const [number, mime, data] of state.media ?? []) this.keep(number, mime, data);
    this.hear(state);
    for (const view of this.views) view.showAll();
  }

  take(message, buffers = []) {
    if (message.kind === "state") this.load(unpack(message, buffers));
    else if (message.kind === "end") this.end(message);
    else if (message.kind === "patch") this.patch(unpack(message, buffers));
  }

  patch({ seq, parts, before, after, media = [], status }) {
    if (seq <= this.seq) return;
    if (seq !== this.seq + 1) this.trusted = new Set();
    if (this.trusted) this.askAgain();
    this.seq = seq;
    for (const [number, mime, data] of media) this.keep(number, mime, data);
    const changed = parts.map(([index, count, entries]) => [index, this.change(index, count, entries)]);
    this.before = before ?? this.before;
    this.after = after ?? this.after;
    this.hear(status);
    for (const view of this.views) view.show(changed);
  }

  change(index, count, entries) {
    if (!this.parts.has(index)) this.parts.set(index, []);
    const blocks = this.parts.get(index);
    while (blocks.length < count) blocks.push("");
    blocks.length = count;
    const changed = [];
    for (const [i, keep, html] of entries) {
      const key = `${index}/${i}`;
      if (keep && this.trusted && !this.trusted.has(key)) continue;
      this.trusted?.add(key);
      blocks[i] = blocks[i].slice(0, keep) + html;
      changed.push(i);
    }
    return changed;
  }

  keep(number, mime, data) {
    if (data && !this.media.has(number)) this.media.set(number, URL.createObjectURL(new Blob([data], { type: mime })));
  }

  askAgain() {
    if (performance.now() - this.asked < 1000) return;
    this.asked = performance.now();
    this.ask();
  }

  hear({ state, events, at_s }) {
    const began = performance.now() - at_s * 1000;
    Object.assign(this, { state, events, began: Math.min(began, this.began ?? began) });
  }

  end({ state, foot } = {}) {
    this.foot = foot;
    for (const view of this.views) view.stop();
    if (state && this.views.size) page().say(`${this.name()}: ${END[state]}`);
  }

  name() {
    const [view] = this.views;
    return view?.bot ?? "";
  }

  words() {
    if (this.foot !== undefined) return this.foot;
    const seconds = (performance.now() - this.began) / 1000;
    const time = seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
    if (this.state === "waiting") return `waiting ${time}`;
    return `answering · ${this.events.toLocaleString("en")} event${this.events === 1 ? "" : "s"} · ${time}`;
  }
}

class View {
  constructor(el, frame, turn) {
    this.turn = turn;
    el.classList.add("jp-RenderedHTMLCommon");
    el.innerHTML = this.made(frame);
    this.el = el;
    this.bot = el.querySelector(".poe-turn-bot").getAttribute("aria-label");
    this.places = Object.fromEntries(["before", "responses", "after"].map((name) => [name, el.querySelector(`.poe-turn-${name}`)]));
    this.shown = {};
    this.foot = el.querySelector(".poe-turn-foot");
    this.foot.classList.add("poe-turn-busy");
    this.foot.setAttribute("aria-hidden", "true"); // the live region tells it, at a gentler pace
    this.responses = new Map();
    this.said = 0;
    turn.views.add(this);
    page();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.timers = [setInterval(() => this.tick(), calm ? 1000 : 100), setInterval(() => this.speak(), SAY_EVERY_MS)];
    this.showAll();
  }

  close() {
    this.turn.views.delete(this);
    this.timers.forEach(clearInterval);
  }

  showAll() {
    this.show([...this.turn.parts].map(([index, blocks]) => [index, blocks.keys()]));
  }

  show(changed) {
    for (const [index, blocks] of changed) this.response(index).show(this.turn.parts.get(index), blocks, (html) => this.parse(html));
    for (const name of ["before", "after"]) this.surround(name, this.turn[name] ?? "");
    page().enliven(this.el);
    this.tick();
  }

  surround(name, html) {
    if (html === (this.shown[name] ?? "")) return;
    this.shown[name] = html;
    align(this.places[name], own(this.places[name]), this.parse(html), null);
  }

  response(index) {
    let found = this.responses.get(index);
    if (!found) {
      this.responses.set(index, (found = new Response()));
      const order = [...this.responses.keys()].sort((a, b) => a - b);
      const next = this.responses.get(order[order.indexOf(index) + 1]);
      this.places.responses.insertBefore(found.root, next?.root ?? null);
      if (order.length > 1) order.forEach((key, i) => this.responses.get(key).name(`Response ${i + 1}`));
    }
    return found;
  }

  // The kernel writes numbers where files go; here they become addresses of this page.
  made(html) {
    return html.replace(/( (?:src|href)=")poe-media:(\d+)"/g, (all, start, number) => `${start}${this.turn.media.get(+number) ?? ""}"`);
  }

  parse(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    for (const node of template.content.querySelectorAll('[src^="poe-media:"], [href^="poe-media:"]')) {
      const name = node.hasAttribute("src") ? "src" : "href";
      const address = this.turn.media.get(+node.getAttribute(name).slice(10));
      if (address) node.setAttribute(name, address);
      else node.removeAttribute(name);
    }
    return [...template.content.childNodes].filter((node) => node.nodeType !== Node.TEXT_NODE || node.data.trim());
  }

  tick() {
    const words = this.turn.words();
    if (this.foot.textContent !== words) this.foot.textContent = words;
    if (!this.greeted && this.turn.state === "answering") {
      this.greeted = true;
      page().say(`${this.bot} is answering`);
    }
  }

  // Whole sentences, some at a time; what comes faster than one can listen is there to be read.
  speak() {
    const words = text(this.places.responses, " ");
    if (this.said > words.length) this.said = 0;
    const sentences = /^[^]{0,400}[.!?:…。！？](?=\s|$)/.exec(words.slice(this.said, this.said + SAY_CHARS + 1));
    if (!sentences) return;
    this.said += sentences[0].length;
    page().say(sentences[0].trim());
  }

  stop() {
    this.timers.forEach(clearInterval);
    this.foot.classList.remove("poe-turn-busy");
    this.foot.removeAttribute("aria-hidden");
    this.tick();
    page().leave(this.el);
  }
}

// One of the parallel responses of an answer, with the nodes of each of its blocks.
class Response {
  constructor() {
    this.root = element("div", { class: "poe-turn-response" });
    this.answer = element("div", { class: "poe-turn-answer", dir: "auto" });
    this.root.append(this.answer);
    this.nodes = [];
  }

  name(words) {
    if (this.root.firstChild === this.answer) this.root.prepend(element("p", { class: "poe-turn-label poe-muted" }));
    this.root.firstChild.textContent = words;
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", words);
  }

  show(blocks, indexes, parse) {
    for (const i of indexes) this.nodes[i] = this.put(i, parse(blocks[i]));
    for (const gone of this.nodes.splice(blocks.length)) gone?.forEach((node) => node.remove());
  }

  put(i, next) {
    const old = this.nodes[i] ?? [];
    const later = this.nodes.slice(i + 1).find((nodes) => nodes?.length);
    const anchor = old.length ? old.at(-1).nextSibling : (later?.[0] ?? null);
    return align(this.answer, old, next, anchor);
  }
}

function own(parent) {
  return [...parent.childNodes].filter((node) => !node.isExtra);
}

// Make the children `old` of `parent` (which end before `anchor`) equal to `next`, keeping every node that can stay.
function align(parent, old, next, anchor) {
  const kept = next.map((node, k) => {
    const here = old[k];
    if (here && here.nodeName === node.nodeName) return become(here, node);
    if (here) here.replaceWith(node);
    else parent.insertBefore(node, anchor);
    return node;
  });
  old.slice(next.length).forEach((node) => node.remove());
  return kept;
}

function become(a, b) {
  if (a.nodeType === Node.TEXT_NODE) {
    if (b.data.startsWith(a.data)) b.data.length > a.length && a.appendData(b.data.slice(a.length));
    else a.data = b.data;
    return a;
  }
  for (const { name } of [...a.attributes]) if (!b.hasAttribute(name) && !KEPT.includes(name)) a.removeAttribute(name);
  for (const { name, value } of b.attributes) if (a.getAttribute(name) !== value) a.setAttribute(name, value);
  align(a, own(a), own(b), null);
  return a;
}
