// Naming another bot at the beginning of a message: "@" opens the names, arrows choose, Enter or Tab takes one.

class Mentions {
  constructor(chat, area) {
    this.chat = chat;
    this.area = area;
    this.id = `poe-mentions-${Math.random().toString(36).slice(2)}`;
    this.node = make("div", { class: "poe-mentions", role: "listbox", id: this.id, "aria-label": "Bots to ask", hidden: true });
    area.setAttribute("aria-autocomplete", "list");
    area.addEventListener("input", () => this.look());
    area.addEventListener("blur", () => this.close());
  }

  get isOpen() {
    return !this.node.hidden;
  }

  look() {
    const typed = /^\s*@([\w.-]*)$/.exec(this.area.value.slice(0, this.area.selectionStart));
    const start = typed?.[1].toLowerCase();
    const found = typed ? this.chat.head.bots.filter(([name]) => name.toLowerCase().startsWith(start)).slice(0, 8) : [];
    if (!found.length) return this.close();
    this.options = found.map(([name, what], i) =>
      make("div", { role: "option", class: "poe-mention", id: `${this.id}-${i}`, onmousedown: (event) => { event.preventDefault(); this.take(i); } }, make("span", {}, name), make("span", { class: "poe-muted" }, what)));
    this.names = found.map(([name]) => name);
    this.node.replaceChildren(...this.options);
    if (this.node.hidden) say(`${found.length} bot${found.length === 1 ? "" : "s"} to ask; choose with the arrows`);
    this.node.hidden = false;
    this.area.setAttribute("aria-controls", this.id);
    this.choose(0);
  }

  choose(at) {
    this.at = (at + this.options.length) % this.options.length;
    this.options.forEach((option, i) => option.setAttribute("aria-selected", String(i === this.at)));
    this.area.setAttribute("aria-activedescendant", this.options[this.at].id);
  }

  take(at) {
    this.area.setRangeText(`@${this.names[at]} `, 0, this.area.selectionStart, "end");
    this.close();
    this.area.dispatchEvent(new Event("input"));
  }

  close() {
    this.node.hidden = true;
    this.area.removeAttribute("aria-activedescendant");
    this.area.removeAttribute("aria-controls");
  }

  // Whether the key was for the names.
  hear(event) {
    if (!this.isOpen) return false;
    if (event.key === "ArrowDown") this.choose(this.at + 1);
    else if (event.key === "ArrowUp") this.choose(this.at - 1);
    else if (event.key === "Enter" || event.key === "Tab") this.take(this.at);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
}
