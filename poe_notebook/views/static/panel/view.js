// A chat on the screen.

const REACTIONS = { like: "Like", dislike: "Dislike", heart: "Heart", laughing: "Laughing", surprised: "Surprised", sad: "Sad" };

class ChatView {
  constructor(el, chat) {
    this.chat = chat;
    this.turnViews = new Map();
    this.composer = new Composer(chat);
    this.face = make("span", { class: "poe-panel-face", "aria-hidden": "true" });
    this.title = make("strong", { role: "heading", "aria-level": 3 });
    this.badges = make("span", { class: "poe-panel-badges" });
    this.introduction = make("div", { class: "poe-panel-introduction poe-turn-answer", dir: "auto" });
    this.inner = make("div", { class: "poe-panel-inner" });
    this.list = make("div", { class: "poe-panel-list", tabindex: 0, role: "group", "aria-label": "Conversation" }, this.inner);
    this.latest = make("button", { type: "button", class: "poe-latest", hidden: true, onclick: () => this.toEnd() }, icon("down"), "Latest");
    this.notes = make("div", { class: "poe-panel-notes" });
    this.banner = make("div", { class: "poe-panel-banner", hidden: true });
    this.suggestions = make("div", { class: "poe-panel-suggestions", role: "group", "aria-label": "Suggested replies", hidden: true });
    this.root = make("div", { class: "poe-panel poe-notebook tex2jax_ignore mathjax_ignore", role: "group" },
      this.header(), make("div", { class: "poe-panel-body" }, this.list, this.latest), this.banner, this.notes, this.composer.node);
    el.append(this.root);
    this.listen();
    chat.views.add(this);
    this.load();
  }

  close() {
    this.chat.views.delete(this);
    this.sized.disconnect();
    this.turnViews.forEach((view) => view.close());
    this.root.remove();
  }

  header() {
    const item = (what, words) => make("button", { type: "button", onclick: () => this.download(what) }, words);
    const transcript = menuButton(askButton("download", "Download the transcript"), "Download the transcript", [item("markdown", "As Markdown"), item("json", "As JSON")]);
    this.fresh = askButton("fresh", "New conversation", () => { this.chat.send({ kind: "new" }); this.composer.area.focus(); });
    return make("div", { class: "poe-panel-head" }, this.face, make("div", { class: "poe-panel-title" }, this.title, this.badges), make("div", { class: "poe-panel-tools" }, transcript, this.fresh));
  }

  listen() {
    this.root.addEventListener("keydown", breakLine);
    this.root.addEventListener("focusin", ownKeys);
    this.root.addEventListener("click", (event) => {
      if (!this.chat.closed || !event.target.closest("[data-asks]")) return;
      event.stopPropagation();
      say(this.chat.closed);
    }, true);
    this.isAtEnd = true;
    this.top = 0;
    this.list.addEventListener("scroll", () => {
      // An event tells of the past: what has grown since is no reason to let go of the end, moving upwards is.
      const { scrollTop, scrollHeight, clientHeight } = this.list;
      if (!this.isBegun) return;
      if (scrollHeight - scrollTop - clientHeight < 32) this.isAtEnd = true;
      else if (scrollTop < this.top - 1) this.isAtEnd = false;
      this.top = scrollTop;
      this.latest.hidden = this.isAtEnd;
    });
    this.sized = new ResizeObserver(() => this.follow());
    this.sized.observe(this.inner);
    this.sized.observe(this.list);
    let depth = 0;
    const over = (isOver) => this.root.classList.toggle("poe-panel-over", isOver);
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    this.root.addEventListener("dragenter", (event) => hasFiles(event) && over(++depth > 0));
    this.root.addEventListener("dragleave", (event) => hasFiles(event) && over(--depth > 0));
    this.root.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    this.root.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      over((depth = 0) > 0);
      this.composer.files.addAll([...event.dataTransfer.files]);
      this.composer.area.focus();
    });
  }

  // Until something is said, an introduction is read from its beginning.
  get isBegun() {
    return Boolean(this.pending?.isConnected) || this.chat.groups.some(({ words, turns }) => !words && turns.length);
  }

  follow() {
    if (!this.isBegun) return;
    if (this.isAtEnd) this.list.scrollTop = this.list.scrollHeight;
    else this.latest.hidden = false;
  }

  toEnd() {
    this.isAtEnd = true;
    this.latest.hidden = true;
    if (this.isBegun) this.follow();
    else this.list.scrollTop = 0;
  }

  // What the chat tells.

  load() {
    this.turnViews.forEach((view) => view.close());
    this.turnViews.clear();
    this.inner.replaceChildren(this.introduction);
    for (const group of this.chat.groups) {
      for (const turn of group.turns) this.put(turn);
      if (group.words) this.fold(group);
    }
    this.inner.append(this.suggestions);
    this.showHead();
    if (this.chat.closed) this.gone(this.chat.closed);
    this.toEnd();
  }

  showHead() {
    const { bot, badges, introduction, stopped, notes } = this.chat.head;
    this.root.setAttribute("aria-label", `Chat with ${bot}`);
    this.title.textContent = bot;
    this.face.textContent = [...bot][0] ?? "";
    this.badges.replaceChildren(...badges.map(([words, tone]) => make("span", { class: `poe-badge poe-${tone}` }, words)));
    if (this.introduction.dataset.shown !== introduction) {
      this.introduction.dataset.shown = introduction;
      this.introduction.innerHTML = introduction;
      this.introduction.hidden = !introduction;
    }
    this.showBanner(stopped, "warn");
    const known = notes.join("\n");
    if (known && known !== this.shownNotes) notes.forEach((words) => this.note(words, "warn"));
    this.shownNotes = known;
    this.composer.head(this.chat.head);
    this.refresh();
  }

  showBanner(words, tone) {
    this.banner.hidden = !words;
    if (this.banner.textContent !== words) this.banner.textContent = words;
    this.banner.className = `poe-panel-banner poe-card poe-${tone}`;
  }

  open(turn, isOurs) {
    this.notes.replaceChildren();
    this.pending?.remove();
    if (isOurs && this.outgoing) this.composer.sent(this.outgoing);
    this.outgoing = null;
    this.put(turn);
    this.inner.append(this.suggestions);
    this.refresh();
  }

  put(turn) {
    const view = new TurnView(turn, { after: (shown) => this.actions(shown) });
    this.turnViews.set(turn.id, view);
    this.inner.append(view.node);
    this.offerEdit(view);
  }

  ended(turn) {
    this.turnViews.get(turn.id)?.end();
    this.refresh();
  }

  aside(group) {
    this.fold(group);
    this.inner.append(this.suggestions);
    this.refresh();
    if (!this.isBegun) this.toEnd();
  }

  fold({ words, turns }) {
    const nodes = turns.map((turn) => this.turnViews.get(turn.id)?.node).filter(Boolean);
    const count = `${turns.length} turn${turns.length === 1 ? "" : "s"}`;
    const details = make("details", { class: "poe-panel-aside" }, make("summary", {}, `${words} · ${count}`));
    nodes[0]?.before(details);
    details.append(...nodes);
    if (!details.isConnected) this.inner.append(details);
  }

  reacted(id) {
    const view = this.turnViews.get(id);
    if (view) this.showReaction(view);
  }

  sent(what) {
    this.outgoing = what;
    this.notes.replaceChildren();
    this.pending = make("div", { class: "poe-panel-turn poe-panel-pending" }, make("div", { class: "poe-turn" }, make("div", { class: "poe-turn-user" }, make("pre", { class: "poe-turn-said poe-plain", dir: "auto" }, what.text)), make("p", { class: "poe-turn-foot poe-turn-busy poe-muted" }, "sending …")));
    this.inner.append(this.pending);
    if (what.typedIn === this.composer) this.composer.area.value = "";
    this.composer.grow();
    this.toEnd();
    this.refresh();
  }

  unsent(what) {
    this.pending?.remove();
    this.outgoing = null;
    this.composer.unsent(what);
    this.refresh();
  }

  note(words, tone = "info") {
    const drop = iconButton("close", "Dismiss", () => node.remove());
    const node = make("div", { class: `poe-panel-note poe-card poe-${tone}` }, make("span", {}, words), drop);
    this.notes.append(node);
    while (this.notes.children.length > 3) this.notes.firstChild.remove();
  }

  gone(words) {
    this.pending?.remove();
    this.root.classList.add("poe-panel-gone");
    this.showBanner(words, "bad");
    this.composer.area.disabled = true;
    this.composer.controls.node.hidden = true;
    this.refresh();
  }

  refresh() {
    const { last, isBusy, closed } = this.chat;
    this.composer.refresh();
    const suggestions = !isBusy && !closed && last?.ended ? last.ended.suggestions : [];
    this.suggestions.hidden = !suggestions.length;
    this.suggestions.replaceChildren(...suggestions.map(({ shown, sent }) => make("button", { type: "button", class: "poe-suggestion", dir: "auto", onclick: () => this.suggest(sent) }, shown)));
    for (const view of this.turnViews.values()) {
      view.retry?.toggleAttribute("hidden", view.turn !== last || Boolean(closed));
      view.edit?.toggleAttribute("hidden", isBusy || Boolean(closed) || Boolean(view.node.closest(".poe-panel-aside")));
    }
    this.allow();
  }

  suggest(text) {
    if (text === null) this.chat.note("This suggested reply is too long to be sent from here.", "warn");
    else this.composer.send(text);
  }

  // What only the kernel can do is off without it, and says why.
  allow() {
    const { closed } = this.chat;
    for (const button of this.root.querySelectorAll("[data-asks]")) {
      const label = button.dataset.asks;
      button.setAttribute("aria-disabled", String(Boolean(closed)));
      button.setAttribute("aria-label", closed ? `${label}: not possible. ${closed}` : label);
      button.title = closed || label;
    }
  }

  // What can be done with a turn.

  actions(view) {
    const { turn } = view;
    const copy = askButton("copy", "Copy the answer as Markdown", () => this.copy(turn, copy));
    view.retry = iconButton("retry", "Ask the same again", () => this.chat.begin({ kind: "retry", turn: turn.id }, { text: turn.said }));
    const react = (name) => () => this.chat.send({ kind: "react", turn: turn.id, reaction: name });
    view.thumbs = ["like", "dislike"].map((name) => askButton(name, REACTIONS[name], react(name), { "data-reaction": name, "aria-pressed": "false" }));
    const others = Object.keys(REACTIONS).slice(2).map((name) => make("button", { type: "button", "data-reaction": name, onclick: react(name) }, icon(name), REACTIONS[name]));
    view.react = askButton("react", "React");
    const bar = make("div", { class: "poe-panel-actions", role: "group", "aria-label": "Actions" }, copy, view.retry, ...view.thumbs, menuButton(view.react, "Reactions", others));
    queueMicrotask(() => this.showReaction(view));
    return bar;
  }

  showReaction(view) {
    const { reaction } = view.turn;
    for (const button of view.thumbs ?? []) button.setAttribute("aria-pressed", String(button.dataset.reaction === reaction));
    const isOther = reaction && !["like", "dislike"].includes(reaction);
    const label = isOther ? `React: ${REACTIONS[reaction]}` : "React";
    view.react?.replaceChildren(icon(isOther ? reaction : "react"));
    if (view.react) view.react.dataset.asks = label;
    view.react?.classList.toggle("poe-on", Boolean(isOther));
    this.allow();
  }

  offerEdit(view) {
    const user = view.host.querySelector(".poe-turn-user");
    if (!user) return;
    view.edit = iconButton("edit", "Edit and send again", () => this.startEdit(view, user));
    user.querySelector(".poe-turn-said").after(make("div", { class: "poe-panel-actions poe-panel-user-actions" }, view.edit));
  }

  startEdit(view, user) {
    const said = user.querySelector(".poe-turn-said");
    const area = make("textarea", { class: "poe-panel-input poe-panel-edit", rows: 3, "aria-label": "Edited message", value: view.turn.said });
    const end = (next = view.edit) => {
      form.remove();
      said.hidden = false;
      next.focus({ preventScroll: true });
    };
    const send = () => {
      if (!area.value.trim()) return;
      end(this.composer.area);
      this.chat.begin({ kind: "edit", turn: view.turn.id, text: area.value }, { text: area.value });
    };
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send();
      else if (event.key === "Escape") end();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    const form = make("div", { class: "poe-panel-editing" }, area, make("div", { class: "poe-panel-row" },
      make("button", { type: "button", class: "poe-button poe-button-quiet", onclick: () => end() }, "Cancel"),
      make("button", { type: "button", class: "poe-button", onclick: send }, "Send")));
    said.hidden = true;
    said.after(form);
    area.focus();
  }

  async copy(turn, button) {
    const { text } = await this.chat.ask({ kind: "fetch", what: "answer", turn: turn.id });
    if (text === undefined) return;
    const isCopied = await copyText(text);
    button.replaceChildren(icon(isCopied ? "done" : "close"));
    say(isCopied ? "Copied" : "Could not copy");
    setTimeout(() => button.replaceChildren(icon("copy")), 1500);
  }

  async download(what) {
    const { text } = await this.chat.ask({ kind: "fetch", what });
    if (text === undefined) return;
    const [ending, type] = what === "json" ? ["json", "application/json"] : ["md", "text/markdown"];
    const url = URL.createObjectURL(new Blob([text], { type }));
    make("a", { href: url, download: `chat-with-${this.chat.head.bot.replace(/[^\w.-]+/g, "-")}.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    say("Transcript downloaded");
  }
}

// The clipboard is there on secure pages only; elsewhere a selected field does.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { value: text, style: "position:fixed;opacity:0", "aria-hidden": "true" });
    const before = document.activeElement;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    before?.focus();
    return isCopied;
  }
}
