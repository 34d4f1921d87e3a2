// What outputs can do where this script is: copy code, load an image when asked, show it large, tell how an answer goes.
// One for each page, whichever widget brought it. Saved outputs hold no script and read well without any of this.

const SHORTCUTS = "data-lm-suppress-shortcuts"; // JupyterLab then leaves Enter and Space to the element

function page() {
  return (window[Symbol.for("poe-notebook")] ??= new Page());
}

class Page {
  wanted = new Set(); // addresses of images that the reader asked for
  left = null; // what a live view leaves to the saved output that takes its place

  constructor() {
    document.addEventListener("click", (event) => this.click(event), true);
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("blur", () => (this.entered = document.activeElement)); // a frame, if one was gone into
    window.addEventListener("keydown", keepFromNotebook, true); // before the document, where JupyterLab listens
    const find = (node) => (node.matches?.(".poe-notebook") ? [node] : node.querySelectorAll?.(".poe-notebook") ?? []);
    new MutationObserver((records) => {
      for (const { addedNodes } of records) for (const node of addedNodes) for (const view of find(node)) this.come(view);
    }).observe(document.body, { childList: true, subtree: true });
    for (const view of find(document)) this.enliven(view);
    this.region();
  }

  enliven(view) {
    for (const code of view.querySelectorAll(".poe-code")) if (!code.firstElementChild?.isExtra) code.prepend(copier());
    for (const image of view.querySelectorAll("img.poe-image")) {
      image.setAttribute("aria-label", `Enlarge ${image.alt || "image"}`);
      for (const [name, value] of [["tabindex", 0], ["role", "button"], [SHORTCUTS, ""]]) image.setAttribute(name, value);
    }
    for (const note of view.querySelectorAll("[data-poe-broken]")) if (note.previousSibling !== note.of) note.remove();
    for (const node of view.querySelectorAll("img.poe-image, .poe-player")) watch(node);
    for (const frame of view.querySelectorAll(".poe-frame-asking")) this.waitFor(frame);
    for (const link of view.querySelectorAll("a.poe-image-link")) {
      link.setAttribute("role", "button");
      link.setAttribute(SHORTCUTS, "");
      if (this.wanted.has(link.href)) load(link);
    }
  }

  // A frame that asks before it loads a page is small, and takes its height with the page.
  waitFor(frame) {
    if (frame.onload) return;
    let loads = 0; // the first is the question, unless that was there before this script: then the reader went in first
    frame.onload = () => {
      if (loads++ === 0 && this.entered !== frame) return;
      frame.style.background = "";
      frame.classList.remove("poe-frame-asking");
    };
    frame.style.background = "none";
  }

  click(event) {
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    const link = event.target.closest?.(".poe-notebook a.poe-image-link");
    const image = event.target.closest?.(".poe-notebook img.poe-image");
    if (!plain || !(link || image)) return;
    event.preventDefault();
    event.stopPropagation();
    if (image) return enlarge(image);
    this.wanted.add(link.href);
    load(link);
  }

  key(event) {
    const chosen = event.target.closest?.(".poe-notebook :is(img.poe-image, a.poe-image-link)");
    if (!chosen || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    chosen.click();
  }

  // A live view ends: its selection and what was unfolded go to the output that takes its place.
  leave(view) {
    const root = view.querySelector(".poe-turn");
    const selection = getSelection();
    const range = selection.rangeCount && root.contains(selection.anchorNode) ? selection.getRangeAt(0) : null;
    const at = range && [place(root, range.startContainer, range.startOffset), place(root, range.endContainer, range.endOffset)];
    this.left = { text: text(root), at, open: [...root.querySelectorAll("details")].map((each) => each.open) };
  }

  come(view) {
    this.enliven(view);
    const root = view.querySelector(".poe-turn");
    if (!this.left || !root || text(root) !== this.left.text) return;
    const { at, open } = this.left;
    this.left = null;
    root.querySelectorAll("details").forEach((each, i) => (each.open = open[i] ?? each.open));
    const [start, end] = (at ?? []).map((offset, i) => point(root, offset, i));
    if (start && end) getSelection().setBaseAndExtent(...start, ...end);
  }

  // One polite live region; it outlives widgets, so that it can tell how an answer ended.
  region() {
    let node = document.querySelector("body > .poe-live-region");
    if (!node) {
      node = element("div", { class: "poe-live-region", role: "status", "aria-live": "polite" });
      node.style.cssText = "position:fixed;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap";
      document.body.append(node);
    }
    return node;
  }

  say(words) {
    this.region().textContent = words;
  }
}

// Enter and Space fold and unfold; every other key stays the notebook's, Shift+Enter say.
function keepFromNotebook({ key, target, shiftKey, ctrlKey, altKey, metaKey }) {
  const isPlain = !(shiftKey || ctrlKey || altKey || metaKey);
  if (!isPlain || (key !== "Enter" && key !== " ") || !target.matches?.(".poe-notebook summary")) return;
  target.setAttribute(SHORTCUTS, "");
  setTimeout(() => target.removeAttribute(SHORTCUTS));
}

function element(name, attributes) {
  const node = document.createElement(name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  return node;
}

// A node of ours among a bot's: the live view leaves it where it is.
function extra(node) {
  node.isExtra = true;
  return node;
}

function copier() {
  const button = extra(element("button", { type: "button", class: "poe-copy", "aria-label": "Copy code", [SHORTCUTS]: "" }));
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    const done = await copy(button.parentElement.querySelector("pre"));
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    page().say(done ? "Code copied" : "The code is selected: press Control C to copy it");
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
}

async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(code); // a page that is not secure has no clipboard, but may still have this
    return document.execCommand("copy");
  }
}

// What the browser cannot decode gives way to words, and to its bytes as a download.
function watch(node) {
  const tell = () => node.nextSibling?.of !== node && node.getAttribute("src") && node.after(brokenNote(node));
  if (node.error || (node.complete && !node.naturalWidth)) tell();
  if (node.isWatched) return;
  node.isWatched = true;
  node.addEventListener("error", tell);
  for (const name of ["load", "loadedmetadata"]) node.addEventListener(name, () => node.nextSibling?.of === node && node.nextSibling.remove());
}

function brokenNote(node) {
  const name = node.alt || (node.matches("img") ? "" : node.getAttribute("aria-label")) || "file";
  const note = extra(element("span", { class: "poe-muted", "data-poe-broken": "" }));
  const link = element("a", { href: node.currentSrc || node.src, download: name, "aria-label": `Download ${name}` });
  link.textContent = "Download";
  note.append(`${name} cannot be shown here. `, link);
  note.of = node;
  return note;
}

function load(link) {
  if (link.querySelector("img")) return;
  const image = extra(element("img", { class: "poe-image", alt: link.textContent, referrerpolicy: "no-referrer" }));
  image.addEventListener("error", () => image.remove());
  image.src = link.href;
  link.prepend(image);
}

function enlarge(image) {
  const dialog = element("dialog", { "aria-label": image.alt || "Image" });
  dialog.style.cssText = "border:0;padding:0;background:none;max-width:96vw;max-height:96vh;overflow:visible";
  const large = element("img", { src: image.currentSrc || image.src, alt: image.alt });
  large.style.cssText = "display:block;max-width:96vw;max-height:96vh;object-fit:contain;background:#fff;border-radius:6px";
  const close = element("button", { type: "button", "aria-label": "Close", [SHORTCUTS]: "" });
  close.textContent = "×";
  close.style.cssText = "position:absolute;top:8px;right:8px;width:32px;height:32px;border:0;border-radius:16px;cursor:pointer;"
    + "font:20px/1 system-ui;background:#222;color:#fff";
  dialog.append(large, close);
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}

// Places in a text are counted in its characters, without the nodes that are ours, what tells the time, and the TeX that
// stands behind a formula.
function texts(root) {
  const skips = (node) => node.isExtra || node.matches?.(".poe-turn-foot, .poe-math-source");
  const accept = (node) => (skips(node) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT, accept);
  const found = [];
  while (walker.nextNode()) if (walker.currentNode.data?.trim()) found.push(walker.currentNode);
  return found;
}

function text(root, between = "") {
  return texts(root).map((node) => node.data).join(between);
}

function place(root, node, offset) {
  let passed = 0;
  for (const each of texts(root)) {
    if (each === node) return passed + offset;
    if (each.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_PRECEDING) return passed;
    passed += each.data.length;
  }
  return passed;
}

function point(root, offset, isEnd) {
  for (const node of texts(root)) {
    if (offset < node.data.length + isEnd) return [node, offset];
    offset -= node.data.length;
  }
  return null;
}
