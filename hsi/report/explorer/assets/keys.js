// The keyboard on the map.

function watchKeys(map, { nextError, changed }) {
  const share = document.getElementById("share");
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const layerKeys = ["composite", "truth", "map", "confidence", "errors", "sets"];

  function slide(by) {
    share.value = Number(share.value) + by;
    map.redraw();
  }

  function check(name, value) {
    const radio = document.querySelector(`input[name=${name}][value=${value}]`);
    if (radio) radio.checked = true;
    changed();
  }

  const actions = {
    "+": () => map.zoom(1.5),
    "=": () => map.zoom(1.5),
    "-": () => map.zoom(1 / 1.5),
    0: () => map.fit(),
    "[": () => slide(-5),
    "]": () => slide(5),
    e: nextError,
    s: () => {
      const blends = document.querySelector("input[name=how][value=blend]").checked;
      check("how", blends ? "swipe" : "blend");
    },
  };
  map.canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = moves[event.key];
    if (move) {
      const far = event.shiftKey ? 10 : 1;
      map.move(far * move[0], far * move[1]);
    } else if (actions[event.key]) {
      actions[event.key]();
    } else if (layerKeys[Number(event.key) - 1]) {
      check("top", layerKeys[Number(event.key) - 1]);
    } else {
      return;
    }
    event.preventDefault();
  });
  for (const radio of document.querySelectorAll(".choices input, .choices select")) {
    radio.addEventListener("change", changed);
  }
}
