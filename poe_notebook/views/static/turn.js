// Shows one answer while it comes. The kernel sends clean HTML, block by block; blocks that did not change are left alone,
// so that a selection in them stays. Nothing is fetched, and no HTML is made here from what a bot wrote.

const END = { done: "answer finished", failed: "answer failed", stopped: "answer stopped" };
const SAY_EVERY_MS = 4000; // a screen reader needs about that long for two sentences
const SAY_CHARS = 400;

export default () => {
  const turn = new Turn();
  return {
    initialize({ model }) {
      turn.ask = () => model.send({ kind: "sync" });
      turn.load(model.get("start"));
      model.on("msg:custom", (message) => turn.take(message));
      return () => turn.end();
    },
    render({ model, el }) {
      const view = new View(el, model.get("frame"), turn);
      return () => view.close();
    },
  };
};

// What the kernel has said so far, kept apart from any view: a cell's output can be shown twice, or not at all yet.
class Turn {
  views = new Set();
  blocks = [];
  trusted = null; // after a lost message: the blocks that came whole since then
  seq = -1;
  asked = -Infinity;

  load(state) {
    if (state.seq < this.seq) return;
    Object.assign(this, { seq: state.seq, blocks: [...state.blocks], after: state.after, trusted: null });
    this.hear(state);
    for (const view of this.views) view.showAll();
  }

  take(message) {
    if (message.kind === "state") this.load(message);
    else if (message.kind === "end") this.end(message);
    else if (message.kind === "patch") this.patch(message);
  }

  patch({ seq, blocks, count, after, status }) {
    if (seq <= this.seq) return;
    if (seq !== this.seq + 1) this.trusted = new Set();
    if (this.trusted) this.askAgain();
    this.seq = seq;
    while (this.blocks.length < count) this.blocks.push("");
    this.blocks.length = count;
    const changed = [];
    for (const [i, keep, html] of blocks) {
      if (keep && this.trusted && !this.trusted.has(i)) continue;
      this.trusted?.add(i);
      this.blocks[i] = this.blocks[i].slice(0, keep) + html;
      changed.push(i);
    }
    if (after !== undefined) this.after = after;
    this.hear(status);
    for (const view of this.views) view.show(changed);
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
    if (state && this.views.size) say(`${this.name()}: ${END[state]}`);
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
    el.innerHTML = frame;
    this.bot = el.querySelector(".poe-turn-bot").getAttribute("aria-label");
    this.answer = el.querySelector(".poe-turn-answer");
    this.after = el.querySelector(".poe-turn-after");
    this.foot = el.querySelector(".poe-turn-foot");
    this.foot.classList.add("poe-turn-busy");
    this.foot.setAttribute("aria-hidden", "true"); // the live region tells it, at a gentler pace
    this.nodes = [];
    this.said = 0;
    turn.views.add(this);
    region();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.timers = [setInterval(() => this.tick(), calm ? 1000 : 100), setInterval(() => this.speak(), SAY_EVERY_MS)];
    this.showAll();
  }

  close() {
    this.turn.views.delete(this);
    this.timers.forEach(clearInterval);
  }

  showAll() {
    this.show(this.turn.blocks.keys());
  }

  show(indexes) {
    const { blocks, after } = this.turn;
    for (const i of indexes) this.nodes[i] = this.put(i, parse(blocks[i]));
    for (const gone of this.nodes.splice(blocks.length)) gone?.forEach((node) => node.remove());
    if (after !== this.shownAfter) this.after.innerHTML = this.shownAfter = after;
    this.tick();
  }

  put(i, next) {
    const old = this.nodes[i] ?? [];
    const later = this.nodes.slice(i + 1).find((nodes) => nodes?.length);
    const anchor = old.length ? old.at(-1).nextSibling : (later?.[0] ?? null);
    return align(this.answer, old, next, anchor);
  }

  tick() {
    const words = this.turn.words();
    if (this.foot.textContent !== words) this.foot.textContent = words;
    if (!this.greeted && this.turn.state === "answering") {
      this.greeted = true;
      say(`${this.bot} is answering`);
    }
  }

  // Whole sentences, some at a time; what comes faster than one can listen is there to be read.
  speak() {
    const text = this.answer.textContent;
    if (this.said > text.length) this.said = 0;
    const sentences = /^[^]{0,400}[.!?:…。！？](?=\s|$)/.exec(text.slice(this.said, this.said + SAY_CHARS + 1));
    if (!sentences) return;
    this.said += sentences[0].length;
    say(sentences[0].trim());
  }

  stop() {
    this.timers.forEach(clearInterval);
    this.foot.classList.remove("poe-turn-busy");
    this.foot.removeAttribute("aria-hidden");
    this.tick();
  }
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.childNodes].filter((node) => node.nodeType !== Node.TEXT_NODE || node.data.trim());
}

// Make the children `old` of `parent` (which end before `anchor`) equal to `next`, keeping every node that can stay.
function align(parent, old, next, anchor) {
  const kept = next.map((node, k) => {
    const here = old[k];
    if (here && alike(here, node)) return become(here, node);
    if (here) here.replaceWith(node);
    else parent.insertBefore(node, anchor);
    return node;
  });
  old.slice(next.length).forEach((node) => node.remove());
  return kept;
}

function alike(a, b) {
  return a.nodeName === b.nodeName;
}

function become(a, b) {
  if (a.nodeType === Node.TEXT_NODE) {
    if (b.data.startsWith(a.data)) b.data.length > a.length && a.appendData(b.data.slice(a.length));
    else a.data = b.data;
    return a;
  }
  for (const { name } of [...a.attributes]) if (!b.hasAttribute(name)) a.removeAttribute(name);
  for (const { name, value } of b.attributes) if (a.getAttribute(name) !== value) a.setAttribute(name, value);
  align(a, [...a.childNodes], [...b.childNodes], null);
  return a;
}

// One polite live region for the whole page; it outlives the widgets, so that it can tell how an answer ended.
function region() {
  let node = document.querySelector("body > .poe-live-region");
  if (!node) {
    node = document.createElement("div");
    node.className = "poe-live-region";
    node.setAttribute("role", "status");
    node.setAttribute("aria-live", "polite");
    node.style.cssText = "position:fixed;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap";
    document.body.append(node);
  }
  return node;
}

function say(words) {
  region().textContent = words;
}
