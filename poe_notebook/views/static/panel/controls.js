// A bot's parameter controls as a form. What is shown by a condition comes and goes with the values. What cannot be seen is
// not sent; the simulated Poe then gives the bot its default, as for what nobody touched. What Poe itself does is
// documented nowhere.

class Controls {
  constructor(changed) {
    this.changed = changed;
    this.node = make("div", { class: "poe-panel-controls", role: "group", "aria-label": "Options", hidden: true });
    this.values = {};
    this.touched = new Set();
  }

  // Draws the form; values that the user has set stay if their control is still there.
  show(form) {
    this.form = form;
    this.conditions = [];
    this.fields = new Map();
    const kept = this.values;
    this.values = { ...(form?.values ?? {}) };
    for (const name of this.touched) if (name in this.values && typeof this.values[name] === typeof kept[name]) this.values[name] = kept[name];
    this.touched = new Set([...this.touched].filter((name) => name in this.values));
    const reset = make("button", { type: "button", class: "poe-button poe-button-quiet", onclick: () => this.reset() }, "Reset all");
    this.node.replaceChildren(...(form ? [...form.sections.map((section) => this.section(section)), reset] : []));
    this.refresh();
  }

  get count() {
    return this.seen.filter((name) => this.touched.has(name) && this.values[name] !== this.form.values[name]).length;
  }

  // The parameters whose conditions hold; what is folded or on another tab counts.
  get seen() {
    const isSeen = (node) => !node.closest(".poe-control-condition[hidden]");
    return [...(this.fields ?? [])].filter(([, nodes]) => nodes.some(isSeen)).map(([name]) => name);
  }

  parameters() {
    return this.form ? Object.fromEntries(this.seen.map((name) => [name, this.values[name]])) : {};
  }

  reset() {
    this.touched.clear();
    this.show(this.form);
    say("Options reset");
  }

  set(name, value, source) {
    this.values[name] = value;
    this.touched.add(name);
    for (const field of this.fields.get(name)) if (field !== source) field.put?.(value);
    this.refresh();
  }

  refresh() {
    for (const { node, condition } of this.conditions ?? []) node.hidden = !this.holds(condition);
    this.changed();
  }

  holds({ comparator, left, right }) {
    const value = (side) => ("literal" in side ? side.literal : this.values[side.parameter_name]);
    const [a, b] = [value(left), value(right)];
    return { eq: a === b, ne: a !== b, gt: a > b, ge: a >= b, lt: a < b, le: a <= b }[comparator] ?? false;
  }

  section({ name, collapsed, cards }) {
    const inner = cards.length === 1 && !cards[0].name ? this.controls(cards[0].controls) : [this.tabs(cards)];
    if (!name) return make("div", { class: "poe-control-section" }, ...inner);
    return make("details", { class: "poe-control-section", open: !collapsed }, make("summary", {}, name), ...inner);
  }

  tabs(cards) {
    const id = `poe-tab-${Math.random().toString(36).slice(2)}`;
    const panes = cards.map(({ controls }, i) => make("div", { role: "tabpanel", id: `${id}-pane-${i}`, "aria-labelledby": `${id}-${i}`, hidden: i > 0 }, ...this.controls(controls)));
    const tabs = cards.map(({ name }, i) => make("button", { type: "button", role: "tab", class: "poe-control-tab", id: `${id}-${i}`, "aria-controls": `${id}-pane-${i}`, onclick: () => choose(i) }, name || `Tab ${i + 1}`));
    const choose = (chosen, focus = true) => tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === chosen));
      tab.tabIndex = i === chosen ? 0 : -1;
      panes[i].hidden = i !== chosen;
      if (focus && i === chosen) tab.focus();
    });
    const list = make("div", { role: "tablist", class: "poe-control-tabs" }, ...tabs);
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      choose((tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length);
    });
    choose(0, false);
    return make("div", {}, list, ...panes);
  }

  controls(given) {
    return given.map((control) => {
      if (control.control === "divider") return make("hr", { class: "poe-control-divider" });
      if (control.control !== "condition") return this.control(control);
      const node = make("div", { class: "poe-control-condition" }, ...this.controls(control.controls));
      this.conditions.push({ node, condition: control.condition });
      return node;
    });
  }

  control(control) {
    const id = `poe-control-${Math.random().toString(36).slice(2)}`;
    const name = control.parameter_name;
    const description = control.description ? make("p", { class: "poe-muted poe-control-description", id: `${id}-about` }, control.description) : null;
    const field = this[control.control](control, id, (value) => this.set(name, value, field));
    const main = field.matches("input, textarea, select") ? field : field.querySelector("input") ?? field;
    if (description) (field.matches("fieldset") ? field : main).setAttribute("aria-describedby", description.id);
    this.fields.set(name, [...(this.fields.get(name) ?? []), field]);
    field.put(this.values[name]);
    if (field.matches("fieldset")) return make("div", { class: "poe-control" }, field, description);
    const label = make("label", { for: id }, control.label);
    return make("div", { class: `poe-control poe-control-${control.control}` }, label, field, description);
  }

  text_field(control, id, set) {
    const node = make("input", { type: "text", id, class: "poe-panel-input", placeholder: control.placeholder });
    return Object.assign(this.typed(node, set), { put: (value) => (node.value = value) });
  }

  text_area(control, id, set) {
    const node = make("textarea", { id, class: "poe-panel-input", rows: 3, placeholder: control.placeholder });
    return Object.assign(this.typed(node, set), { put: (value) => (node.value = value) });
  }

  typed(node, set) {
    node.addEventListener("input", () => set(node.value));
    return node;
  }

  drop_down(control, id, set) {
    const options = control.options.map(({ value, name }) => make("option", { value }, name));
    const node = make("select", { id, class: "poe-panel-input", onchange: () => set(node.value) }, ...options);
    return Object.assign(node, { put: (value) => (node.value = value) });
  }

  toggle_switch(control, id, set) {
    const node = make("input", { type: "checkbox", role: "switch", id, class: "poe-switch", onchange: () => set(node.checked) });
    return Object.assign(node, { put: (value) => (node.checked = value) });
  }

  slider(control, id, set) {
    const { min_value: min, max_value: max, step } = control;
    const node = make("input", { type: "range", id, min, max, step });
    const shown = make("output", { for: id });
    const put = (value) => {
      node.value = value;
      shown.textContent = node.value;
    };
    node.addEventListener("input", () => {
      shown.textContent = node.value;
      set(node.valueAsNumber);
    });
    return Object.assign(make("div", { class: "poe-slider" }, node, shown), { put });
  }

  aspect_ratio(control, id, set) {
    const radios = control.options.map(({ value, width, height }) => {
      const radio = make("input", { type: "radio", name: id, value, onchange: () => set(value) });
      const scale = 26 / Math.max(width, height);
      const shape = make("span", { class: "poe-shape", "aria-hidden": "true", style: `width:${Math.max(4, width * scale)}px;height:${Math.max(4, height * scale)}px` });
      return [radio, make("label", { class: "poe-shape-choice" }, radio, make("span", { class: "poe-shape-room" }, shape), make("span", {}, value))];
    });
    const node = make("fieldset", { class: "poe-shapes" }, make("legend", {}, control.label), ...radios.map(([, label]) => label));
    return Object.assign(node, { put: (value) => radios.forEach(([radio]) => (radio.checked = radio.value === value)) });
  }
}
