export default () => {
  const chat = new Chat();
  return {
    initialize({ model }) {
      chat.open(model);
      return () => chat.close();
    },
    render({ el }) {
      const view = new ChatView(el, chat);
      return () => view.close();
    },
  };
};
