// Several bots' answers to one message, side by side. Each column is the live view of a turn.

export default () => {
  const turns = new Map();
  const views = new Set();
  return {
    initialize({ model }) {
      for (const given of model.get("start").turns) turns.set(given.turn, new SharedTurn(given, (message, buffers) => model.send(message, undefined, buffers)));
      model.on("msg:custom", (message, buffers) => {
        const turn = turns.get(message.turn);
        if (message.kind === "turn") turn?.tell(message.message, buffers);
        if (message.kind !== "close" || !turn) return;
        turn.end(message);
        for (const view of views) if (view.turn === turn) view.end();
        say(message.words);
      });
      return () => turns.forEach((turn) => turn.close?.());
    },
    render({ model, el }) {
      el.classList.add("jp-RenderedHTMLCommon"); // as the static form has it, so that nothing moves at the end
      el.innerHTML = model.get("start").frame;
      const shown = [...el.querySelectorAll("[data-turn]")].map((column) => {
        const view = new TurnView(turns.get(column.dataset.turn), { after: () => "" });
        column.replaceChildren(view.node);
        views.add(view);
        return view;
      });
      return () => shown.forEach((view) => views.delete(view) && view.close());
    },
  };
};
