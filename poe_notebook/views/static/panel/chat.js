// What the kernel has said of a chat so far, kept apart from any view: an output can be shown twice, or not at all yet.

const KERNEL_SILENCE_MS = 1200; // after this we say why nothing comes
const GONE = {
  restarting: "The kernel was restarted, so this chat has ended. Run the cell again for a new one; what was said stays here.",
  dead: "The kernel has died, so this chat has ended. What was said stays here.",
  terminating: "The kernel was shut down, so this chat has ended. What was said stays here.",
};
GONE.autorestarting = GONE.restarting;

class Chat {
  views = new Set();
  turns = new Map();
  groups = [];
  asks = new Map();
  files = new Map();
  head = null;
  seq = -1;
  lastAsk = 0;
  closed = "";
  hint = "";
  sending = null;
  stopping = false;

  open(model) {
    this.model = model;
    this.load(model.get("start"));
    this.hear = (message, buffers) => this.take(unpack(message, buffers), buffers);
    model.on("msg:custom", this.hear);
    this.forget = watchKernel(model, (status) => GONE[status] && this.gone(GONE[status]), (status) => (this.kernel = status));
  }

  close() {
    this.forget?.();
    this.turns.forEach((turn) => turn.close?.());
  }

  // To the kernel.

  send(message, buffers) {
    if (this.closed) return;
    this.model.send(message, undefined, buffers);
  }

  ask(message) {
    if (this.closed) return Promise.resolve({});
    const ask = ++this.lastAsk;
    this.send({ ...message, ask });
    return new Promise((resolve) => this.asks.set(ask, resolve));
  }

  // Sends what begins a turn; until the kernel says that it has begun, the page shows it as being on its way.
  begin(message, what) {
    if (this.closed) return this.note(this.closed, "bad");
    const ask = ++this.lastAsk;
    this.sending = { ask, ...what };
    this.stopping = false;
    this.send({ ...message, ask });
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.wonder(), KERNEL_SILENCE_MS);
    this.tell("sent", what);
  }

  stop() {
    this.stopping = true;
    this.hint = "stopping …";
    this.send({ kind: "stop" });
    this.tell("refresh");
  }

  wonder() {
    if (!this.sending || this.closed) return;
    this.hint = this.kernel === "busy" ? "The kernel is busy with a cell; this goes out when it is free." : "No word from the kernel yet …";
    say(this.hint);
    this.tell("refresh");
  }

  get isBusy() {
    return !this.closed && (Boolean(this.sending) || [...this.turns.values()].some((turn) => !turn.ended));
  }

  get last() {
    return this.groups.filter((group) => !group.words).flatMap((group) => group.turns).at(-1);
  }

  // From the kernel.

  take(message, buffers) {
    const { kind } = message;
    if (kind === "turn") this.turns.get(message.turn)?.tell(message.message, buffers);
    else if (kind === "file") this.files.get(message.id)?.(message);
    else if (kind === "text" || kind === "names") this.answered(message);
    else if (kind === "notice") this.noticed(message);
    else if (kind === "gone") this.gone(message.words);
    else if (kind === "saved") keepInNotebook(this.model, message) || this.note("The notebook's saved copy of this chat stays as it was when the page was loaded anew. Download the transcript to keep all of it.", "warn");
    else if (kind === "state") this.load(message);
    else if (Object.hasOwn(NUMBERED, kind)) this.number(message, NUMBERED[kind]);
  }

  number(message, change) {
    if (message.seq <= this.seq) return;
    if (message.seq > this.seq + 1) return this.sync();
    this.seq = message.seq;
    change.call(this, message);
  }

  sync() {
    if (performance.now() - (this.synced ?? -Infinity) < 1000) return;
    this.synced = performance.now();
    this.send({ kind: "sync" });
  }

  load(state) {
    if (state.seq < this.seq || (state.seq === this.seq && this.head)) return;
    this.id = state.id;
    this.seq = state.seq;
    this.head = state.head;
    this.turns.forEach((turn) => turn.close?.());
    this.turns = new Map();
    this.groups = state.groups.map(({ words, turns }) => ({ words, turns: turns.map((given) => this.turn(given)) }));
    this.tell("load");
  }

  turn(given) {
    const turn = new SharedTurn(given, (message, buffers) => this.send(message, buffers));
    this.turns.set(turn.id, turn);
    return turn;
  }

  answered(message) {
    this.asks.get(message.ask)?.(message);
    this.asks.delete(message.ask);
  }

  noticed({ words, tone, ask }) {
    if (ask !== null && ask === this.sending?.ask) {
      const { sending } = this;
      this.settle();
      this.tell("unsent", sending);
    }
    this.answered({ ask });
    this.note(words, tone);
  }

  settle() {
    clearTimeout(this.silence);
    this.sending = null;
    this.hint = "";
    this.stopping = false;
  }

  note(words, tone = "info") {
    this.tell("note", words, tone);
    say(words);
  }

  gone(words) {
    if (this.closed) return;
    this.closed = words;
    this.settle();
    this.asks.forEach((answer) => answer({}));
    this.asks.clear();
    this.turns.forEach((turn) => !turn.ended && turn.tell({ kind: "end", foot: "The end did not arrive." }));
    this.tell("gone", words);
    say(words);
  }

  tell(what, ...more) {
    for (const view of this.views) view[what](...more);
  }
}

// What changes the screen, in order.
const NUMBERED = {
  head({ head }) {
    this.head = head;
    this.tell("showHead");
  },
  open({ turn: given, ask }) {
    const turn = this.turn(given);
    const isOurs = ask !== null && ask === this.sending?.ask;
    const stopped = isOurs && this.stopping;
    if (isOurs) this.settle();
    if (stopped) this.hint = "stopping …";
    if (!this.groups.length || this.groups.at(-1).words) this.groups.push({ words: "", turns: [] });
    this.groups.at(-1).turns.push(turn);
    this.tell("open", turn, isOurs);
  },
  close(ended) {
    const turn = this.turns.get(ended.turn);
    if (!turn) return;
    turn.end(ended);
    this.settle();
    this.tell("ended", turn);
    say(ended.words);
  },
  aside({ turns: ids, words }) {
    const gone = new Set(ids);
    for (const group of this.groups) if (!group.words) group.turns = group.turns.filter((turn) => !gone.has(turn.id));
    const group = { words, turns: ids.map((id) => this.turns.get(id)).filter(Boolean) };
    this.groups.push(group);
    this.tell("aside", group);
  },
  reacted({ turn, reaction }) {
    const found = this.turns.get(turn);
    if (found) found.reaction = reaction;
    this.tell("reacted", turn);
  },
};

// Follows the kernel where the front end lets a widget see it; gives a function that ends that.
function watchKernel(model, gone, changed) {
  const session = model.widget_manager?.context?.sessionContext;
  const hear = (_, status) => {
    changed(status);
    gone(status);
  };
  session?.statusChanged.connect(hear);
  let isFirst = true;
  model.on("comm_live_update", () => (isFirst = false) || gone("restarting"));
  return () => session?.statusChanged.disconnect(hear);
}

// Puts the saved form into the notebook, for pages that were loaded anew: the kernel's own updates no longer reach its
// output there. Says whether that could be done.
function keepInNotebook(model, { panel, bundle }) {
  const cells = model.widget_manager?.context?.model?.cells;
  if (!cells) return false;
  let isKept = false;
  for (const cell of cells) {
    const outputs = cell.type === "code" ? cell.outputs : null;
    for (let i = 0; i < (outputs?.length ?? 0); i++) {
      const html = outputs.get(i).data["text/html"];
      if (![html].flat().join("").includes(`data-poe-panel="${panel}"`)) continue;
      outputs.set(i, { output_type: "display_data", data: bundle, metadata: {} });
      isKept = true;
    }
  }
  return isKept;
}
