// Files on their way into a message: chosen, pasted, dropped, or named in the kernel. They travel in pieces, one at a
// time, because a Jupyter server closes a connection that brings too much at once.

class Files {
  constructor(chat, changed) {
    this.chat = chat;
    this.changed = changed;
    this.items = new Map();
    this.node = make("ul", { class: "poe-panel-files", "aria-label": "Files of this message", hidden: true });
  }

  get ids() {
    return [...this.items.keys()];
  }

  get isReady() {
    return [...this.items.values()].every((item) => item.isReady);
  }

  addAll(files) {
    for (const file of files) this.add(file);
  }

  add(file) {
    const { limits, no_files: no } = this.chat.head;
    const name = file.name || "pasted";
    const shown = visible(name);
    if (no) return this.chat.note(no, "warn");
    if (this.items.size >= limits.files) return this.chat.note(`A message carries ${limits.files} files at the most; ${shown} was left out.`, "warn");
    if (file.size > limits.bytes) return this.chat.note(`${shown} has ${sizeWords(file.size)}, and ${sizeWords(limits.bytes)} is the most that Poe takes as one file.`, "warn");
    const item = this.put(name, file.size, file.type.startsWith("image/") ? file : null);
    this.upload(item, file).catch((error) => this.fail(item, String(error)));
  }

  addNamed(name) {
    if (this.chat.head.no_files) return this.chat.note(this.chat.head.no_files, "warn");
    const item = this.put(name, 0, null);
    this.chat.send({ kind: "attach", id: item.id, name });
  }

  put(name, size, picture) {
    const id = `f${Date.now().toString(36)}${Math.random().toString(36).slice(2, 10)}`;
    const words = make("span", { class: "poe-muted" });
    const face = picture ? make("img", { alt: "", src: URL.createObjectURL(picture) }) : icon("file");
    const drop = iconButton("close", `Remove ${visible(name)}`, () => this.drop(id));
    const node = make("li", { class: "poe-panel-file" }, face, make("span", { class: "poe-panel-file-name" }, visible(name)), words, drop);
    const item = { id, name, size, node, words, isReady: false };
    this.items.set(id, item);
    this.node.append(node);
    this.show(item, 0);
    this.chat.files.set(id, (message) => this.hear(item, message));
    return item;
  }

  async upload(item, file) {
    const { piece } = this.chat.head.limits;
    let at = 0;
    do {
      const buffer = await file.slice(at, at + piece).arrayBuffer();
      if (!this.items.has(item.id)) return;
      const heard = new Promise((resolve) => (item.answered = resolve));
      this.chat.send({ kind: "file", id: item.id, name: item.name, type: file.type, size: file.size, at }, [buffer]);
      const message = await heard;
      if (message.refused) return;
      at = message.got ?? file.size;
    } while (at < file.size);
  }

  hear(item, message) {
    if (message.refused) this.fail(item, message.refused);
    else {
      if (message.size !== undefined) item.size = message.size;
      item.isReady = message.got === null;
      this.show(item, message.got ?? item.size);
    }
    item.answered?.(message);
  }

  show(item, got) {
    item.words.textContent = item.isReady ? sizeWords(item.size) : item.size ? `${Math.floor((100 * got) / item.size)} %` : "…";
    item.node.classList.toggle("poe-panel-file-coming", !item.isReady);
    this.refresh();
  }

  fail(item, words) {
    this.chat.note(words, "bad");
    this.remove(item.id);
  }

  drop(id) {
    this.chat.send({ kind: "drop", id });
    this.remove(id);
    say("File removed");
  }

  remove(id) {
    const item = this.items.get(id);
    if (!item) return;
    const picture = item.node.querySelector("img");
    if (picture) URL.revokeObjectURL(picture.src);
    item.node.remove();
    this.items.delete(id);
    this.chat.files.delete(id);
    this.refresh();
  }

  clear() {
    this.ids.forEach((id) => this.remove(id));
  }

  refresh() {
    this.node.hidden = !this.items.size;
    this.changed();
  }
}

// A small line to type the name of a kernel's object or a path into, completed by the kernel.
class KernelNames {
  constructor(chat, files) {
    this.chat = chat;
    const list = `poe-names-${Math.random().toString(36).slice(2)}`;
    this.options = make("datalist", { id: list });
    this.input = make("input", { type: "text", list, class: "poe-panel-input", "aria-label": "Name of an object in the kernel, or a path", placeholder: "name of an object, or a path", spellcheck: "false", autocomplete: "off" });
    const add = make("button", { type: "button", class: "poe-button" }, "Attach");
    const take = () => {
      const name = this.input.value.trim();
      if (name) files.addNamed(name);
      this.input.value = "";
      this.toggle(false);
    };
    add.addEventListener("click", take);
    this.input.addEventListener("input", () => this.complete());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") take();
      else if (event.key === "Escape") this.toggle(false);
      else return;
      event.preventDefault();
    });
    this.node = make("div", { class: "poe-panel-names", hidden: true }, this.input, add, this.options);
  }

  toggle(isOpen = this.node.hidden) {
    this.node.hidden = !isOpen;
    this.opened?.(isOpen);
    if (isOpen) {
      this.complete();
      this.input.focus();
    }
  }

  complete() {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      const { names = [] } = await this.chat.ask({ kind: "names", start: this.input.value });
      this.options.replaceChildren(...names.map(([name, what]) => make("option", { value: name }, what)));
    }, 120);
  }
}
