// The map: layers on a canvas, the pixel that is chosen, and what pointer and keys do to them.

function makeMap(scene, layers, { chosen, pointed }) {
  const canvas = document.getElementById("map");
  const context = canvas.getContext("2d");
  const share = document.getElementById("share");
  const view = makeView(scene);
  const { rows, cols } = scene.about.scene;
  const state = { pixel: scene.firstPixel(), waiting: false };

  function draw() {
    state.waiting = false;
    const { top, below, topTitle, belowTitle, alone, swipe } = chosenLayers();
    const part = share.value / 100;
    const divider = Math.round(part * canvas.width);
    context.clearRect(0, 0, canvas.width, canvas.height);
    shade();
    paint(below, 1);
    if (!alone) {
      context.save();
      if (swipe) {
        context.beginPath();
        context.rect(0, 0, divider, canvas.height);
        context.clip();
        context.clearRect(0, 0, canvas.width, canvas.height);
        shade();
      }
      paint(top, swipe ? 1 : part);
      context.restore();
      if (swipe) line(divider);
    }
    mark();
    document.getElementById("tag-top").textContent = topTitle;
    document.getElementById("tag-below").textContent = swipe ? belowTitle : "";
  }

  // The scene in the dark, for layers that do not cover all of it.
  function shade() {
    context.fillStyle = "#000000";
    context.fillRect(view.left, view.top, cols * view.zoom, rows * view.zoom);
    paint("composite", 0.4);
  }

  function paint(name, alpha) {
    // Shrunk, single pixels would come and go; enlarged, each is a square.
    context.imageSmoothingEnabled = view.zoom * scene.step < 1;
    context.globalAlpha = alpha;
    context.drawImage(
      layers.canvases[name], view.left, view.top,
      scene.cols * scene.step * view.zoom, scene.rows * scene.step * view.zoom,
    );
    context.globalAlpha = 1;
  }

  function line(x) {
    for (const [color, width] of [["#000000", 5], ["#ffffff", 2]]) {
      context.fillStyle = color;
      context.fillRect(Math.round(x - width / 2), 0, width, canvas.height);
    }
  }

  function mark() {
    const { row, col } = state.pixel;
    const size = scene.step * view.zoom;
    const ratio = window.devicePixelRatio || 1;
    if (size >= 8 * ratio) {
      frame(view.left + col * view.zoom, view.top + row * view.zoom, size, size, []);
    } else {
      const [x, y] = [view.left + col * view.zoom + size / 2, view.top + row * view.zoom + size / 2];
      frame(x - 8 * ratio, y - 8 * ratio, 16 * ratio, 16 * ratio, []);
    }
    const side = scene.about.patch_size;
    if (side > 1) {
      const half = (side - 1) / 2;
      const [x, y] = [view.left + (col - half) * view.zoom, view.top + (row - half) * view.zoom];
      frame(x, y, side * view.zoom, side * view.zoom, [4 * ratio, 4 * ratio]);
    }
  }

  function frame(x, y, width, height, dashes) {
    const ratio = window.devicePixelRatio || 1;
    context.setLineDash([]);
    context.lineWidth = 3 * ratio;
    context.strokeStyle = "#000000";
    context.strokeRect(x, y, width, height);
    context.setLineDash(dashes);
    context.lineWidth = ratio;
    context.strokeStyle = "#ffffff";
    context.strokeRect(x, y, width, height);
    context.setLineDash([]);
  }

  function redraw() {
    if (state.waiting) return;
    state.waiting = true;
    requestAnimationFrame(draw);
  }

  function choose(pixel) {
    state.pixel = pixel;
    view.show(pixel);
    redraw();
    chosen(pixel);
  }

  function move(down, right) {
    const inside = (value, length) =>
      Math.min(Math.max(value, 0), Math.floor((length - 1) / scene.step) * scene.step);
    const { row, col } = state.pixel;
    choose({
      row: inside(row + down * scene.step, rows),
      col: inside(col + right * scene.step, cols),
    });
  }

  function zoom(factor, x, y) {
    const { row, col } = state.pixel;
    const middle = (scene.step * view.zoom) / 2;
    view.zoomBy(
      factor, x ?? view.left + col * view.zoom + middle, y ?? view.top + row * view.zoom + middle,
    );
    redraw();
  }

  function fit() {
    view.fit();
    redraw();
  }

  const map = { canvas, view, state, draw, redraw, choose, move, zoom, fit, pointed };
  watchSize(map);
  watchPointer(map, share);
  document.getElementById("zoom-in").addEventListener("click", () => zoom(1.5));
  document.getElementById("zoom-out").addEventListener("click", () => zoom(1 / 1.5));
  document.getElementById("zoom-fit").addEventListener("click", fit);
  share.addEventListener("input", redraw);
  return map;
}

function watchSize(map) {
  const measure = () => {
    const ratio = window.devicePixelRatio || 1;
    const box = map.canvas.getBoundingClientRect();
    map.canvas.width = Math.max(1, Math.round(box.width * ratio));
    map.canvas.height = Math.max(1, Math.round(box.height * ratio));
    map.view.resize(map.canvas.width, map.canvas.height);
    map.draw();  // at once: another size has emptied the canvas
  };
  new ResizeObserver(measure).observe(map.canvas);
  watchRatio(measure);
}

// A window may move to a screen with other pixels.
function watchRatio(measure) {
  const now = matchMedia(`(resolution: ${window.devicePixelRatio || 1}dppx)`);
  const changed = () => {
    measure();
    watchRatio(measure);
  };
  now.addEventListener("change", changed, { once: true });
}
