// Puts the parts together. Whatever fails, the page's pictures and tables are there without it.

async function start() {
  const scene = await readScene();
  await loadPlotly();
  const layers = layerCanvases(scene);
  document.getElementById("explorer").hidden = false;

  let pointed = null;
  let waiting = false;
  let map = null;
  let composite = null;
  const show = makeSpectrum(scene, { channels: () => composite.channels() });
  const redrawSpectrum = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      show(map.state.pixel, pointed);
    });
  };
  const redraw = () => {
    drawLegend(scene);
    map.redraw();
  };
  map = makeMap(scene, layers, {
    chosen: (pixel) => {
      describe(scene, pixel);
      redrawSpectrum();
    },
    pointed: (pixel) => {
      if (String(pixel?.row) + pixel?.col === String(pointed?.row) + pointed?.col) return;
      pointed = pixel;
      point(scene, pixel);
      redrawSpectrum();
    },
  });
  composite = makeComposite(scene, layers, {
    changed: () => {
      redraw();
      redrawSpectrum();
    },
  });
  const stepping = makeStepping(scene, map);
  watchKeys(map, { nextError: stepping.nextError, changed: redraw });
  document.getElementById("next-error").addEventListener("click", stepping.nextError);
  drawLegend(scene);
  describe(scene, map.state.pixel);
  const drawAll = () => {
    show(map.state.pixel, pointed);
    showCharts(scene, stepping);
  };
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  document.documentElement.dataset.explorer = "ready";
}

start().catch((error) => {
  document.documentElement.dataset.explorer = "failed";
  document.getElementById("explorer").hidden = true;
  const note = document.getElementById("explorer-failed");
  note.hidden = false;
  note.append(` (${error.message})`);
});
