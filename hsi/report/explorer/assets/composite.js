// The colour composite of any three bands that the page holds.

// Centres in nanometres; offered only where bands lie so near.
const PRESETS = [
  { name: "natural", centres: [640, 550, 460] },
  { name: "infrared", centres: [860, 650, 550] },
  { name: "shortwave", centres: [2200, 1650, 860] },
];
const NEAR_NM = 30;

function makeComposite(scene, layers, { changed }) {
  const { axis, rgb, in_nanometres } = scene.about;
  const selects = [0, 1, 2].map((k) => document.getElementById("band-" + k));
  const original = scene.arrays.composite;
  let channels = [...rgb];

  for (const [k, select] of selects.entries()) {
    for (const band of axis.order) {
      if (band !== null) select.add(new Option(axis.names[band], band));
    }
    select.value = rgb[k];
    select.addEventListener("change", () => use(selects.map((each) => Number(each.value))));
  }
  const presets = document.getElementById("presets");
  const offer = (name, bands) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => use(bands));
    presets.append(button);
  };
  offer("default", rgb);
  if (in_nanometres) {
    for (const { name, centres } of PRESETS) {
      const bands = centres.map(nearest);
      const near = bands.every((band, k) => Math.abs(axis.positions[band] - centres[k]) < NEAR_NM);
      if (near && String(bands) !== String(rgb)) offer(name, bands);
    }
  }

  function nearest(centre) {
    const distances = axis.positions.map((position) => Math.abs(position - centre));
    return distances.indexOf(Math.min(...distances));
  }

  function use(bands) {
    channels = [...bands];
    selects.forEach((select, k) => (select.value = bands[k]));
    const given = String(bands) === String(rgb);
    scene.arrays.composite = given ? original : stretchedPicture(scene, bands);
    layers.repaint("composite");
    changed();
  }

  return { channels: () => channels };
}

// Each band from its 2nd to its 98th percentile, as the scene's own composite; black where no data
// is. Where fewer spectra than pixels are held, each fills the pixels around it.
function stretchedPicture(scene, bands) {
  const { rows, cols, step, spectraRows, spectraCols } = scene;
  const { step: spectraStep, missing } = scene.about.spectra;
  const picture = new Uint8Array(3 * rows * cols);
  bands.forEach((band, k) => {
    const first = band * spectraRows * spectraCols;
    const levels = scene.arrays.levels.subarray(first, first + spectraRows * spectraCols);
    const known = levels.filter((level) => level !== missing).sort();
    if (!known.length) return;
    const [low, high] = [quantile(known, 0.02), quantile(known, 0.98)];
    for (let i = 0; i < rows * cols; i++) {
      const row = Math.min(spectraRows - 1, Math.round((Math.floor(i / cols) * step) / spectraStep));
      const col = Math.min(spectraCols - 1, Math.round(((i % cols) * step) / spectraStep));
      const level = levels[row * spectraCols + col];
      if (level === missing) continue;
      const share = (level - low) / (high - low || 1);
      picture[k * rows * cols + i] = Math.round(255 * Math.min(Math.max(share, 0), 1));
    }
  });
  return picture;
}

function quantile(ordered, share) {
  const at = share * (ordered.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, ordered.length - 1);
  return ordered[below] + (at - below) * (ordered[above] - ordered[below]);
}
