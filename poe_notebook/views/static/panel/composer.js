// Where one writes: Enter sends, Shift+Enter breaks the line, the field grows with the text.

class Composer {
  constructor(chat) {
    this.chat = chat;
    this.area = make("textarea", { class: "poe-panel-text", rows: 1, "aria-label": "Message", enterkeyhint: "send" });
    this.files = new Files(chat, () => this.refresh());
    this.controls = new Controls(() => this.refresh());
    this.names = new KernelNames(chat, this.files);
    this.mentions = new Mentions(chat, this.area);
    this.picker = make("input", { type: "file", multiple: true, hidden: true, tabindex: -1, "aria-hidden": "true" });
    this.attach = iconButton("plus", "Attach files", () => this.mayAttach() && this.picker.click());
    this.kernel = iconButton("kernel", "Attach from the kernel", () => this.mayAttach() && this.names.toggle(), { "aria-expanded": "false" });
    this.options = make("button", { type: "button", class: "poe-icon-button poe-options", "aria-expanded": "false", onclick: () => this.toggleOptions() }, icon("options"), make("span", {}, "Options"), make("span", { class: "poe-count" }));
    this.hint = make("span", { class: "poe-panel-hint poe-muted" });
    this.go = make("button", { type: "button", class: "poe-go", onclick: () => (this.chat.isBusy ? this.chat.stop() : this.send()) });
    this.names.opened = (isOpen) => this.kernel.setAttribute("aria-expanded", String(isOpen));
    this.box = make("div", { class: "poe-panel-box" }, this.files.node, this.names.node, this.area,
      make("div", { class: "poe-panel-row" }, this.attach, this.kernel, this.options, this.hint, this.go), this.picker);
    this.node = make("div", { class: "poe-panel-composer" }, this.mentions.node, this.controls.node, this.box);
    this.listen();
  }

  listen() {
    this.area.addEventListener("keydown", (event) => this.key(event));
    this.area.addEventListener("input", () => this.grow());
    this.area.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      this.files.addAll(files);
    });
    this.picker.addEventListener("change", () => {
      this.files.addAll([...this.picker.files]);
      this.picker.value = "";
      this.area.focus();
    });
    this.box.addEventListener("mousedown", (event) => {
      if (event.target !== this.box && !event.target.matches(".poe-panel-row, .poe-panel-hint")) return;
      event.preventDefault();
      this.area.focus();
    });
  }

  key(event) {
    if (this.mentions.hear(event)) return;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.send();
  }

  send(text = null) {
    const words = text ?? this.area.value;
    if (!words.trim() && !this.files.ids.length) return;
    const { chat, files } = this;
    if (chat.closed) return chat.note(chat.closed, "bad");
    if (chat.isBusy) return chat.note("An answer is still coming. Stop it first, or wait; your text stays here.", "info");
    if (!files.isReady) return chat.note("The files are still on their way to the kernel.", "info");
    if (words.length > chat.head.limits.chars) return chat.note(`The message has ${words.length.toLocaleString("en")} characters; ${chat.head.limits.chars.toLocaleString("en")} is the most.`, "warn");
    const isTyped = text === null;
    chat.begin({ kind: "send", text: words, files: isTyped ? files.ids : [], parameters: this.controls.parameters() }, { text: words, typedIn: isTyped ? this : null });
  }

  // The message has gone out: what was typed is no longer needed here.
  sent({ typedIn }) {
    if (typedIn !== this) return;
    this.files.clear();
    this.refresh();
  }

  // It did not go out: what was typed is here to be sent again.
  unsent({ text, typedIn }) {
    if (typedIn === this && !this.area.value) this.area.value = text;
    this.grow();
  }

  mayAttach() {
    const words = this.chat.closed || this.chat.head.no_files;
    if (words) this.chat.note(words, "warn");
    return !words;
  }

  grow() {
    const { area } = this;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 280)}px`;
    area.classList.toggle("poe-panel-text-long", area.scrollHeight > 280);
    this.refresh();
  }

  toggleOptions() {
    const { node } = this.controls;
    node.hidden = !node.hidden;
    this.options.setAttribute("aria-expanded", String(!node.hidden));
    if (!node.hidden) node.querySelector("input, select, textarea, button, summary")?.focus();
  }

  head({ bot, form, no_files: no, stopped }) {
    this.area.placeholder = stopped ? `${bot} is stopped` : `Message ${bot}`;
    for (const [button, words] of [[this.attach, "Attach files"], [this.kernel, "Attach from the kernel"]]) {
      button.setAttribute("aria-disabled", String(Boolean(no)));
      button.title = no || words;
      button.setAttribute("aria-label", no ? `${words}: not possible. ${no}` : words);
    }
    if (JSON.stringify(form) !== this.shownForm) {
      this.shownForm = JSON.stringify(form);
      this.controls.show(form);
    }
    this.options.hidden = !form;
    if (!form) this.controls.node.hidden = true;
    this.refresh();
  }

  refresh() {
    const { chat, go } = this;
    if (!go || !chat.head) return;
    const isBusy = chat.isBusy;
    if (go.dataset.is !== String(isBusy)) {
      go.dataset.is = String(isBusy);
      go.replaceChildren(icon(isBusy ? "stop" : "send"));
      go.title = isBusy ? "Stop" : "Send";
      go.setAttribute("aria-label", go.title);
      go.classList.toggle("poe-go-stop", isBusy);
    }
    const isEmpty = !this.area.value.trim() && !this.files.ids.length;
    go.setAttribute("aria-disabled", String(Boolean(chat.closed) || (!isBusy && isEmpty)));
    const { count } = this.controls;
    this.options.lastChild.textContent = count || "";
    this.options.setAttribute("aria-label", count ? `Options, ${count} changed` : "Options");
    const hint = chat.closed ? "" : chat.hint || (chat.head.cost ? chat.head.cost : "");
    if (this.hint.textContent !== hint) this.hint.textContent = hint;
  }
}
