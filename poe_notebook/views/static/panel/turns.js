// The turns of a chat. Each is shown by the live view of a turn, which gets its messages out of the panel's comm.

// What the kernel has said of one turn, kept apart from any view of it.
class SharedTurn {
  constructor(given, send) {
    Object.assign(this, { id: given.turn, bot: given.bot, said: given.said, ended: null, reaction: given.reaction });
    this.frame = given.frame;
    this.heard = new Set();
    this.model = {
      get: (name) => ({ frame: this.frame, start: given.start })[name],
      set() {},
      save_changes() {},
      send: (message, callbacks, buffers) => send({ kind: "turn", turn: this.id, message }, buffers),
      on: (name, hear) => name === "msg:custom" && this.heard.add(hear),
      off: (name, hear) => this.heard.delete(hear),
    };
    this.live = liveTurn();
    this.close = this.live.initialize({ model: this.model });
    if (given.ended) this.end(given.ended);
  }

  tell(message, buffers) {
    this.heard.forEach((hear) => hear(message, buffers));
  }

  end(ended) {
    this.ended = ended;
    this.frame = ended.still;
  }
}

// One turn on the screen. `actions` are the buttons under it, given by who shows it.
class TurnView {
  constructor(turn, actions) {
    this.turn = turn;
    this.host = make("div", { class: "poe-panel-turn-host" });
    this.node = make("div", { class: "poe-panel-turn", "data-turn": turn.id, role: "group", "aria-label": turn.said.slice(0, 80) || turn.bot }, this.host);
    this.clean = turn.live.render({ model: turn.model, el: this.host });
    this.actions = actions;
    if (turn.ended) this.end();
    else this.node.append(actions.during?.(this) ?? "");
  }

  end() {
    const { still, foot } = this.turn.ended;
    this.turn.tell({ kind: "end", foot });
    const template = document.createElement("template");
    template.innerHTML = still;
    const now = template.content.querySelector(".poe-turn");
    const shown = this.host.querySelector(".poe-turn");
    if (now && shown) {
      shown.className = now.className;
      const [old, ended] = [shown, now].map((root) => root.querySelector(".poe-turn-bot > .poe-turn-who"));
      if (old && ended && old.innerHTML !== ended.innerHTML) old.replaceWith(ended);
    }
    this.bar?.remove();
    this.bar = this.actions.after(this);
    this.node.append(this.bar);
  }

  close() {
    this.clean?.();
    this.node.remove();
  }
}
